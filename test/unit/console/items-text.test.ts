/** What someone pastes or drops as the items of a run. */
import { expect, it } from "vitest";
import { readItems } from "../../../src/console/runs/setup/items-text.ts";

const JSONL = "application/jsonl";

it.for<[name: string, text: string, fileName: string, expected: object | null]>([
  ["nothing", " \n", "", null],
  ["JSON Lines", '{"prompt": "a"}\n\n{"prompt": "b"}', "", { contentType: JSONL, count: 2 }],
  [
    "JSON Lines with a fault, for the server to name",
    '{"prompt": "a"}\n{"prompt',
    "a.jsonl",
    { contentType: JSONL, count: 2 },
  ],
  ["CSV by its head", 'id,"prompt"\n1,a', "", { contentType: "text/csv", count: null }],
  ["CSV with semicolons, for the server to refuse", "id;prompt;tags\n1;a;b", "", { contentType: "text/csv" }],
  ["CSV with its separator, for the server to refuse", "sep=;\r\nid;prompt\r\n1;a", "", { contentType: "text/csv" }],
  ["CSV by its name", "id,question\n1,a", "a.CSV", { contentType: "text/csv", count: null }],
  [
    "plain lines",
    "Who are you?\r\n\r\nWhy, and prompt me",
    "",
    { text: '{"prompt":"Who are you?"}\n{"prompt":"Why, and prompt me"}\n', count: 2 },
  ],
  [
    "a list",
    '[{"prompt": "a"}, {"prompt": "b"}]',
    "",
    { text: '{"prompt":"a"}\n{"prompt":"b"}\n', contentType: JSONL, count: 2 },
  ],
  ["a body of the API", '{"items": [{"prompt": "a"}]}', "", { text: '{"prompt":"a"}\n', count: 1 }],
  [
    "a data set of Moonshot",
    '\uFEFF{"name": "x", "examples": [{"input": "a", "target": "b"}]}',
    "x.json",
    { text: '{"input":"a","target":"b"}\n', count: 1 },
  ],
  ["one item", '{"prompt": "a"}', "", { text: '{"prompt": "a"}', contentType: JSONL, count: 1 }],
])("reads %s", ([, text, fileName, expected]) => {
  const items = readItems(text, fileName);
  if (expected === null) expect(items).toBeNull();
  else expect(items).toMatchObject(expected);
});
