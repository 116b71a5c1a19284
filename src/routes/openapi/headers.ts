/**
 * The request headers that routes read, as the OpenAPI document describes them. A route names its own in `describe`.
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
    "The same call again under the same key gets the first answer, and does nothing twice",
    "^[\\x21-\\x7e]{1,200}$",
  ),
  prefer: header("Prefer", "`return=minimal` leaves earlier messages and records out of the answer; RFC 7240"),
  "x-d1-bookmark": header(
    "x-d1-bookmark",
    "The one of an earlier answer: the list may then come from a nearby replica as fresh as that",
  ),
  "last-event-id": header(
    "Last-Event-ID",
    "The last message that you have, by its `seq`; goes before `after`",
    "^\\d{1,15}$",
  ),
  "sec-websocket-protocol": header(
    "Sec-WebSocket-Protocol",
    "`parley.v1, bearer.<token>`, where no other header can be sent along",
  ),
} as const;

/** A header that a route may name. */
export type HeaderName = keyof typeof HEADERS;

export const headerParameters = (names: readonly HeaderName[] = []): HeaderParameter[] =>
  names.map((name) => HEADERS[name]);
