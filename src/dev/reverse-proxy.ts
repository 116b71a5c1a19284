/**
 * The proxy of `npm start`, in front of `wrangler dev`. Wrangler lets a caller choose the URL and the `Host` that the Worker
 * sees, with headers that its own parts use among themselves (`MF-…`). So the proxy refuses hosts that are not allowed,
 * removes those headers, and adds a secret without which the Worker refuses a call.
 *
 * Everything else passes as it comes, without being buffered. Effects: listens and connects.
 */
import { once } from "node:events";
import { Agent, createServer, request as sendRequest } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import type { Duplex } from "node:stream";
import { isAllowedHost, LOCAL_PROXY_HEADER } from "../core/local-start.ts";

/** Longer than browsers keep a connection that they do not use, in milliseconds. */
const KEEP_ALIVE_MS = 120_000;

/** The runtime closes a connection that was not used for 5 s. In milliseconds. */
const UPSTREAM_KEEP_ALIVE_MS = 3_000;

const MAX_HEADER_BYTES = 65_536;

/** Headers that speak of one connection: the proxy has two. `expect` is answered by the server of Node. */
const OF_ONE_CONNECTION = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "upgrade",
  "http2-settings",
  "expect",
]);

interface ProxySettings {
  listen: { ip: string; port: number };
  upstream: { host: string; port: number };
  secret: string;
  /** As the variable `ALLOWED_HOSTS`. */
  allowedHosts: string;
}

export interface ReverseProxy {
  port: number;
  close: () => void;
}

/** @throws when it cannot listen there */
export async function startReverseProxy(settings: ProxySettings): Promise<ReverseProxy> {
  const agent = new Agent({ keepAlive: true, timeout: UPSTREAM_KEEP_ALIVE_MS });
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 });
  server.on("request", (request, response) => {
    const refusal = refusalOf(request, settings);
    if (refusal === null) passOn(request, response, settings, agent);
    else response.writeHead(refusal.status, { "content-type": "application/json" }).end(refusal.body);
  });
  server.on("upgrade", (request, socket, head) => {
    const refusal = refusalOf(request, settings);
    if (refusal === null) return passConnectionOn(request, socket, head, settings);
    socket.end(
      `HTTP/1.1 ${refusal.status} Refused\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n${refusal.body}`,
    );
  });
  const { ip, port } = settings.listen;
  server.listen({ port, ...(ip === "*" ? {} : { host: ip }) });
  await once(server, "listening");
  const close = () => {
    server.close();
    server.closeAllConnections();
    agent.destroy();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

interface Refusal {
  status: 400 | 403;
  body: string;
}

/** @returns `null` for a call that may pass */
function refusalOf({ url, headersDistinct }: IncomingMessage, { allowedHosts }: ProxySettings): Refusal | null {
  const [host, ...others] = headersDistinct["host"] ?? [];
  // A target with a host of its own would count for more than the header.
  if (host === undefined || others.length > 0 || !url?.startsWith("/"))
    return { status: 400, body: failure("bad_request", "Parley wants a path, and one Host header") };
  return isAllowedHost(hostName(host), { ALLOWED_HOSTS: allowedHosts })
    ? null
    : { status: 403, body: failure("host_refused", "A local start answers only to localhost: see ALLOWED_HOSTS") };
}

/** @returns the name without its port. Empty for a value that says more than that, such as a path or a user */
function hostName(host: string): string {
  if (/[/\\?#@\s]/.test(host) || !URL.canParse(`http://${host}`)) return "";
  return new URL(`http://${host}`).hostname;
}

const failure = (code: string, message: string): string => JSON.stringify({ success: false, message, error: { code } });

function passOn(request: IncomingMessage, response: ServerResponse, settings: ProxySettings, agent: Agent): void {
  const { method, url: path } = request;
  const upstream = sendRequest({
    ...settings.upstream,
    method,
    path,
    agent,
    setHost: false,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  for (const [name, value] of headersToPass(request, settings)) upstream.appendHeader(name, value);
  if (!hasBody(request)) {
    // Otherwise Node announces a body of no length where the caller has none.
    upstream.removeHeader("content-length");
    upstream.removeHeader("transfer-encoding");
  }
  upstream.on("response", (answer) => {
    response.sendDate = false;
    const headers = pairsOf(answer.rawHeaders).filter(
      ([name]) => !OF_ONE_CONNECTION.has(name.toLowerCase()) && name.toLowerCase() !== "transfer-encoding",
    );
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers.flat());
    response.flushHeaders();
    pipeline(answer, response, ignore);
  });
  upstream.on("error", () => {
    if (response.headersSent) response.destroy();
    else
      response
        .writeHead(503, { "content-type": "application/json", "retry-after": "1" })
        .end(failure("unavailable", "The local server does not answer"));
  });
  response.on("close", () => upstream.destroy());
  pipeline(request, upstream, ignore);
}

/** What follows belongs to this call alone: the runtime refuses another one, which would come without the secret. */
function passConnectionOn(request: IncomingMessage, socket: Duplex, head: Buffer, settings: ProxySettings): void {
  const isSocket = request.headers.upgrade?.toLowerCase() === "websocket";
  const connection: [string, string][] = isSocket
    ? [
        ["Connection", "Upgrade"],
        ["Upgrade", "websocket"],
      ]
    : [["Connection", "close"]];
  const lines = [...headersToPass(request, settings), ...connection].map(([name, value]) => `${name}: ${value}\r\n`);
  const upstream = connect({ ...settings.upstream, noDelay: true });
  upstream.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
  upstream.write(head);
  pipeline(socket, upstream, socket, ignore);
}

function headersToPass(request: IncomingMessage, { secret }: ProxySettings): [string, string][] {
  const headers = pairsOf(request.rawHeaders).filter(([name]) => {
    const lower = name.toLowerCase();
    return !OF_ONE_CONNECTION.has(lower) && !lower.startsWith("mf-") && lower !== LOCAL_PROXY_HEADER;
  });
  const address = request.socket.remoteAddress?.replace(/^::ffff:/, "");
  const isNamed = request.headers["cf-connecting-ip"] !== undefined || address === undefined;
  return [
    ...headers,
    ...(isNamed ? [] : [["CF-Connecting-IP", address] as [string, string]]),
    [LOCAL_PROXY_HEADER, secret],
  ];
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;

function pairsOf(rawHeaders: string[]): [string, string][] {
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ""] as [string, string]] : [],
  );
}

/** Either side may leave at any time. */
const ignore = (): void => {};
