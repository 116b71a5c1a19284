/** Opens WebSockets, which a browser cannot give a token. What goes over one is for the caller. */
import type { Connection } from "./connection.ts";
import type { Ticket } from "./types.ts";

/** @param path of the session */
export function openSocket(connection: Connection, path: string, { ticket }: Ticket, after?: number): WebSocket {
  return new WebSocket(connection.socketUrl(`${path}/ws`, { after, ticket }), "parley.v1");
}
