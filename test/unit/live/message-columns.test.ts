/** Messages as columns are the same messages. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { fromColumns, toColumns } from "../../../src/live/log/message-columns.ts";
import { fromRow } from "../../../src/live/log/message-rows.ts";
import type { MessageRow } from "../../../src/live/log/message-rows.ts";
import { makeReplyDetail } from "../../support/replies.ts";

const id = fc.constantFrom("a", "b", "c", null);

const row: fc.Arbitrary<MessageRow> = fc.tuple(
  fc.integer({ min: 1 }),
  id,
  id,
  fc.constantFrom("user", "assistant", "system"),
  fc.string({ unit: "binary" }),
  fc.integer({ min: 0, max: 8.64e15 }),
  fc.constantFrom(JSON.stringify(makeReplyDetail()), JSON.stringify(makeReplyDetail({ finishReason: "length" })), null),
  fc.integer(),
  fc.option(fc.integer({ min: 1 })),
  fc.constantFrom(JSON.stringify({ kind: "human", id: "grace", name: "Grace" }), null),
  fc.option(fc.integer({ min: 0 })),
);

it("messages as columns, copied as by RPC, are the messages of their rows", () => {
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      expect(fromColumns(structuredClone(toColumns(rows)))).toEqual(rows.map(fromRow));
    }),
  );
});
