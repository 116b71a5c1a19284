/** Sockets that follow sessions: opening, waiting for events, and closing. */
import type { Server } from "./wrangler.ts";
import { SOCKET_PROTOCOLS, socketPath } from "./parley.ts";

/** Sockets that are opened at the same time. */
const AT_ONCE = 50;

/** How long a socket may take to open, or to get an event. */
const EVENT_TIMEOUT_MS = 60_000;

interface TextEvent {
  data: unknown;
}

/** Opens a socket to a session, and waits for the snapshot. */
export async function openFollower(parley: Server, sessionId: string): Promise<WebSocket> {
  const socket = new WebSocket(parley.origin.replace("http", "ws") + socketPath(sessionId), SOCKET_PROTOCOLS);
  await nextEvent(socket, "session-snapshot");
  return socket;
}

/** Opens a socket for each of the sessions, some at a time. A session may be listed several times. */
export async function openFollowers(parley: Server, sessions: string[]): Promise<WebSocket[]> {
  const opened: WebSocket[] = [];
  for (let at = 0; at < sessions.length; at += AT_ONCE) {
    const some = sessions.slice(at, at + AT_ONCE);
    opened.push(...(await Promise.all(some.map((id) => openFollower(parley, id)))));
  }
  return opened;
}

/** Waits for the socket's next event of a type. @returns when it arrived, by `performance.now()` */
export function nextEvent(socket: WebSocket, type: string): Promise<number> {
  const expected = `"type":"${type}"`;
  return new Promise((resolve, reject) => {
    const onMessage = ({ data }: TextEvent) => {
      if (typeof data === "string" && data.includes(expected)) settle(() => resolve(performance.now()));
    };
    const onClose = () => settle(() => reject(new Error(`A socket closed before its ${type}`)));
    const timeout = setTimeout(
      () => settle(() => reject(new Error(`No ${type} in ${EVENT_TIMEOUT_MS} ms`))),
      EVENT_TIMEOUT_MS,
    );
    const settle = (end: () => void) => {
      clearTimeout(timeout);
      socket.removeEventListener("message", onMessage);
      socket.removeEventListener("close", onClose);
      end();
    };
    socket.addEventListener("message", onMessage);
    socket.addEventListener("close", onClose);
  });
}

/** Closes sockets, and waits for the close handshake. */
export async function closeAll(sockets: WebSocket[]): Promise<void> {
  await Promise.all(
    sockets.map((socket) => {
      const closed = new Promise<void>((resolve) => socket.addEventListener("close", () => resolve()));
      socket.close(1000);
      return closed;
    }),
  );
}
