/** Part `socket-turns`: how long a frame takes: an append to its acknowledgement, a prompt to its first words and to its end. */
import { atMost, compare, p50, printComparison, ratio } from "./comparison.ts";
import type { Call, Subject } from "./comparison.ts";
import { nextEvent } from "./followers.ts";
import {
  MESSAGE_TEXT,
  SOCKET_PROTOCOLS,
  createEndpoint,
  createSessionMaker,
  parleyClient,
  socketPath,
} from "./parley.ts";
import type { Finding } from "./report.ts";
import type { Servers } from "./servers.ts";
import type { Server } from "./wrangler.ts";

/** A Parley session takes 100 frames in 10 seconds from a socket. */
const LOAD = { rounds: 10, callers: 1, calls: 20 };

const NAMES = { bare: "bare Worker", parley: "Parley" };

/** What is waited for after a frame. The bare Worker's events have the same types. */
const MEASURES = [
  { title: "an append is acknowledged", frame: "append", type: "ack" },
  { title: "a turn's first delta", frame: "prompt", type: "reply-delta" },
  { title: "a turn's end", frame: "prompt", type: "turn-ended" },
] as const;

type Frame = (typeof MEASURES)[number]["frame"];

export async function socketTurns({ parley, bare, upstream }: Servers): Promise<Finding[]> {
  const toParley = parleyClient(parley.origin);
  const baseUri = upstream.baseUri(0);
  const createSession = await createSessionMaker(toParley, await createEndpoint(toParley, "socket-turns", baseUri));
  const bareFrames = { append: { append: MESSAGE_TEXT }, prompt: { content: MESSAGE_TEXT, upstream: baseUri } };
  const findings: Finding[] = [];
  for (const { title, frame, type } of MEASURES) {
    const measured = await compare(LOAD, {
      bare: subject(
        bare,
        async () => [`/ws?conversation=${crypto.randomUUID()}`],
        () => bareFrames[frame],
        type,
      ),
      parley: subject(
        parley,
        async () => [socketPath(await createSession()), SOCKET_PROTOCOLS],
        () => parleyFrame(frame),
        type,
      ),
    });
    printComparison(`Socket: ${title}`, measured, "bare", NAMES);
    findings.push(atMost(`socket, ${title}`, ratio(p50, measured.parley, measured.bare), 2.5));
  }
  toParley.close();
  return findings;
}

const parleyFrame = (frame: Frame): object =>
  frame === "append"
    ? { type: "message-append", id: crypto.randomUUID(), role: "user", content: MESSAGE_TEXT }
    : { type: "prompt-submit", id: crypto.randomUUID(), content: MESSAGE_TEXT };

/** A caller opens one socket. A turn has ended before its next frame. */
function subject(
  server: Server,
  address: () => Promise<[path: string, protocols?: string[]]>,
  frame: () => object,
  type: string,
): Subject {
  const last = type === "ack" ? "ack" : "turn-ended";
  const open = async (): Promise<Call> => {
    const [path, protocols] = await address();
    const socket = new WebSocket(server.origin.replace("http", "ws") + path, protocols);
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    return async () => {
      const [measured, ended] = [nextEvent(socket, type), nextEvent(socket, last)];
      const sent = performance.now();
      socket.send(JSON.stringify(frame()));
      const arrived = await measured;
      await ended;
      return arrived - sent;
    };
  };
  return { server, open };
}
