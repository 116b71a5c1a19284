/**
 * Questions about a host and port of this machine: is it free, is Parley there, and how does one reach it?
 *
 * Opens sockets. Starting a server does not belong here.
 */
import { once } from "node:events";
import { createServer } from "node:net";

const PROBE_TIMEOUT_MS = 3_000;

/** @returns whether Parley answers at an address; `false` also for another program */
export async function isParley(address: string): Promise<boolean> {
  try {
    const answer = await fetch(`${address}/openapi.json`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    const document = await answer.json<{ info?: { title?: unknown } } | null>();
    return document?.info?.title === "Parley";
  } catch {
    return false;
  }
}

/** @returns whether a server could listen there */
export async function isFree(ip: string, port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen({ port, host: ip === "*" ? "0.0.0.0" : ip, exclusive: true });
    await once(probe, "listening");
    return true;
  } catch (error) {
    // Any other error, such as an ip that this machine does not have, is left to the server, which explains it better.
    return (error as NodeJS.ErrnoException).code !== "EADDRINUSE";
  } finally {
    probe.close();
  }
}

/** The address at which this machine reaches a server that listens on an ip, which may be a wildcard. */
export function addressOf(protocol: "http" | "https", ip: string, port: number): string {
  const isWildcard = ["*", "0.0.0.0", "::"].includes(ip);
  const host = ip.includes(":") ? `[${ip}]` : ip;
  return `${protocol}://${isWildcard ? "127.0.0.1" : host}:${port}`;
}
