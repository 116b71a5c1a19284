/**
 * The request headers that routes read, as the OpenAPI document describes them. A route names its own in `describe`.
 * Reading a header does not belong here.
 */
interface HeaderParameter {
  name: string;
  in: "header";
  required: false;
  description: string;
  schema: { type: "string"; pattern?: string };
}

const header = (name: string, description: string, pattern?: string): HeaderParameter => ({
  name,
  in: "header",
  required: false,
  description,
  schema: { type: "string", ...(pattern === undefined ? {} : { pattern }) },
});

const HEADERS = {
  "idempotency-key": header(
    "Idempotency-Key",
    "A repeated call with the same key gets the first answer, and nothing is done twice. It needs a token",
    "^[\\x21-\\x7e]{1,200}$",
  ),
  prefer: header("Prefer", "`return=minimal` leaves earlier messages and records out of the answer; RFC 7240"),
  "x-d1-bookmark": header(
    "x-d1-bookmark",
    "The value of this header in an earlier answer: the list may then come from a nearby replica that is at least as fresh",
  ),
  "x-parley-session": header(
    "x-parley-session",
    "The id of the session whose conversation `messages` is",
    "^[0-9a-fA-F]{24}$",
  ),
  "last-event-id": header(
    "Last-Event-ID",
    "The `seq` of the last message that you have. It takes precedence over `after`",
    "^\\d{1,15}$",
  ),
  "sec-websocket-protocol": header(
    "Sec-WebSocket-Protocol",
    "`parley.v1`. An end user's token may be here as `bearer.<token>`; open the socket with a ticket instead where you can",
  ),
} as const;

export type HeaderName = keyof typeof HEADERS;

export const headerParameters = (names: readonly HeaderName[] = []): HeaderParameter[] =>
  names.map((name) => HEADERS[name]);
