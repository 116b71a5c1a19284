/** Sockets that follow sessions: opening, waiting for events, and closing. */
import type { Server } from "./wrangler.ts";
import { ADMIN_TOKEN, socketPath } from "./parley.ts";

/** Sockets that are opened at the same time. */
const AT_ONCE = 50;

/** Sockets that one caller may have on one session. */
const SOCKETS_OF_CALLER = 20;

/** How long a socket may take to open, or to get an event. */
const EVENT_TIMEOUT_MS = 60_000;

interface TextEvent {
  data: unknown;
}

/** Opens a socket to a session, and waits for the snapshot. */
export async function openFollower(parley: Server, sessionId: string, token = ADMIN_TOKEN): Promise<WebSocket> {
  const path = await socketPathWithTicket(parley, sessionId, token);
  const socket = new WebSocket(parley.origin.replace("http", "ws") + path);
  await nextEvent(socket, "session-snapshot");
  return socket;
}

/** Opens a socket for each of the sessions, some at a time. A session may be listed several times. */
export async function openFollowers(parley: Server, sessions: string[]): Promise<WebSocket[]> {
  const counts = new Map<string, number>();
  const followers = sessions.map((id) => {
    const nth = counts.get(id) ?? 0;
    counts.set(id, nth + 1);
    return { id, caller: Math.floor(nth / SOCKETS_OF_CALLER) };
  });
  const tokens: string[] = [];
  for (const { caller } of followers) tokens[caller] ??= caller === 0 ? ADMIN_TOKEN : await createKey(parley);
  const opened: WebSocket[] = [];
  for (let at = 0; at < sessions.length; at += AT_ONCE) {
    const some = followers.slice(at, at + AT_ONCE);
    opened.push(...(await Promise.all(some.map(({ id, caller }) => openFollower(parley, id, tokens[caller])))));
  }
  return opened;
}

/** The path that opens one socket to a session. A WebSocket cannot send a token in a header. */
export async function socketPathWithTicket(parley: Server, sessionId: string, token = ADMIN_TOKEN): Promise<string> {
  const { ticket } = await create<{ ticket: string }>(parley, `/sessions/${sessionId}/tickets`, token);
  return `${socketPath(sessionId)}?ticket=${ticket}`;
}

const createKey = async (parley: Server): Promise<string> =>
  (await create<{ key: string }>(parley, "/keys", ADMIN_TOKEN, { name: "followers", role: "service" })).key;

async function create<T>({ origin }: Server, path: string, token: string, body?: object): Promise<T> {
  const answer = await fetch(origin + path, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
  return (await answer.json<{ data: T }>()).data;
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
