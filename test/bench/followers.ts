import type { Server } from "./wrangler.ts";
import { SOCKET_PROTOCOLS, socketPath } from "./parley.ts";

/** How many sockets are opened at once. */
const AT_ONCE = 50;

/** How long a socket may take to open, or to be told something. */
const PATIENCE_MS = 60_000;

interface TextEvent {
  data: unknown;
}

/** Opens a socket to a session. @returns it once the session is told to it */
export async function openFollower(parley: Server, sessionId: string): Promise<WebSocket> {
  const socket = new WebSocket(parley.origin.replace("http", "ws") + socketPath(sessionId), SOCKET_PROTOCOLS);
  await told(socket, "session-snapshot");
  return socket;
}

/** Opens a socket for each session named, some at once. A session may be named again and again. */
export async function openFollowers(parley: Server, sessions: string[]): Promise<WebSocket[]> {
  const opened: WebSocket[] = [];
  for (let at = 0; at < sessions.length; at += AT_ONCE) {
    const some = sessions.slice(at, at + AT_ONCE);
    opened.push(...(await Promise.all(some.map((id) => openFollower(parley, id)))));
  }
  return opened;
}

/** @returns the moment at which the socket's next event of a type is there */
export function told(socket: WebSocket, type: string): Promise<number> {
  const sought = `"type":"${type}"`;
  return new Promise((resolve, reject) => {
    const heard = ({ data }: TextEvent) => {
      if (typeof data === "string" && data.includes(sought)) settle(() => resolve(performance.now()));
    };
    const failed = () => settle(() => reject(new Error(`A socket closed before its ${type}`)));
    const timeout = setTimeout(() => settle(() => reject(new Error(`No ${type} in ${PATIENCE_MS} ms`))), PATIENCE_MS);
    const settle = (end: () => void) => {
      clearTimeout(timeout);
      socket.removeEventListener("message", heard);
      socket.removeEventListener("close", failed);
      end();
    };
    socket.addEventListener("message", heard);
    socket.addEventListener("close", failed);
  });
}

/** Closes sockets, and waits until the other side has agreed. */
export async function closeAll(sockets: WebSocket[]): Promise<void> {
  await Promise.all(
    sockets.map((socket) => {
      const closed = new Promise<void>((resolve) => socket.addEventListener("close", () => resolve()));
      socket.close(1000);
      return closed;
    }),
  );
}
