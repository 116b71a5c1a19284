/** What opens beside a conversation. */
export type Tool =
  /** @param seq the answer to end with; `null` for the whole conversation */
  | { kind: "bridge"; seq: number | null }
  /** @param seq one of the variants */
  | { kind: "variants"; seq: number };
