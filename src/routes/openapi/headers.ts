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

/** Heads that callers may send, and the routes that read them, as `method /path`. */
const READ_BY: readonly [RegExp, HeaderParameter][] = [
  [
    // A new key or ticket is never answered twice.
    /^post (?!\/keys|.*\/(tickets|stop|cancel|end)$)/,
    header(
      "Idempotency-Key",
      "The same call again under the same key gets the first answer, and does nothing twice",
      "^[\\x21-\\x7e]{1,200}$",
    ),
  ],
  [
    /^(get|put) \/sessions\/\{id\}$|^get \/v1\/sessions\/\{id\}$|^post .*\/(message|end|prompt)$/,
    header("Prefer", "`return=minimal` leaves earlier messages and records out of the answer; RFC 7240"),
  ],
  [
    /^get (\/sessions|\/chatbots|\/clients|\/v1\/(sessions|llm_endpoints|prompt_templates))$/,
    header(
      "x-d1-bookmark",
      "The one of an earlier answer: the list may then come from a nearby replica as fresh as that",
    ),
  ],
  [
    /^get .*\/events$/,
    header("Last-Event-ID", "The last message that you have, by its `seq`; goes before `after`", "^\\d{1,15}$"),
  ],
  [
    /^get .*\/ws$/,
    header("Sec-WebSocket-Protocol", "`parley.v1, bearer.<token>`, where no other head can be sent along"),
  ],
];

/** The heads that a route reads. */
export const headersOf = (method: string, path: string): HeaderParameter[] =>
  READ_BY.flatMap(([routes, parameter]) => (routes.test(`${method} ${path}`) ? [parameter] : []));
