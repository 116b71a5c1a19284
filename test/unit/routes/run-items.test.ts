/** Reads items of runs from bodies that come in parts of any size. */
import * as fc from "fast-check";
import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import type { RunItem } from "../../../src/core/run.ts";
import { CsvReader } from "../../../src/routes/moonshot/runs/csv-records.ts";
import { ItemReader } from "../../../src/routes/moonshot/runs/read-items.ts";
import type { BodyFormat } from "../../../src/routes/moonshot/runs/read-items.ts";
import { ItemsTwice, JsonItemReader } from "../../../src/routes/moonshot/runs/json-items.ts";

/** Cuts a text into parts. */
const parts = (text: string, size: number): string[] =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, index) => text.slice(index * size, (index + 1) * size));

describe("JSON", () => {
  const read = (text: string, size: number) => {
    const reader = new JsonItemReader();
    const items = parts(text, size).flatMap((part) => [...reader.push(part)]);
    return { items, rest: reader.rest };
  };

  it("has the items one by one, and everything else as it stands", () => {
    const value = fc.record({ name: fc.jsonValue(), items: fc.array(fc.jsonValue()), more: fc.jsonValue() });
    fc.assert(
      fc.property(value, fc.integer({ min: 1, max: 40 }), fc.boolean(), (given, size, spaced) => {
        const { items, rest } = read(JSON.stringify(given, null, spaced ? 2 : 0), size);
        expect(items.map((item) => JSON.parse(item) as unknown)).toEqual(JSON.parse(JSON.stringify(given.items)));
        expect(JSON.parse(rest)).toEqual({ ...(JSON.parse(JSON.stringify(given)) as object), items: [] });
      }),
    );
  });

  it.each([
    ['{"items":[1,]}', ["1", ""]],
    ['{"items":[,1]}', ["", "1"]],
    ['{"a":{"items":[1]},"items":[]}', []],
    ['{"items\\"":[1]}', []],
    ['{"\\u0069tems":[1]}', ["1"]],
  ])("reads %s", (text, items) => {
    expect(read(text, 3).items).toEqual(items);
  });

  it.each(['{"items":[1],"items":[2]}', '{"items":"x","items":[1]}', '{"\\u0069tems":[1],"items":[2]}'])(
    "refuses %s",
    (text) => {
      expect(() => read(text, 3)).toThrow(ItemsTwice);
    },
  );
});

describe("an item with very many values", () => {
  const issuesOf = async (format: BodyFormat, text: string) => {
    const reader = new ItemReader(format);
    const items: RunItem[] = [];
    for await (const item of reader.read(new Blob([text]).stream())) items.push(item);
    return { items, issues: reader.issues };
  };
  const line = (prompt: string) => `{"prompt":${prompt}}`;

  it.each(["[".repeat(9_999) + "]".repeat(9_999), `[${"0,".repeat(9_999)}0]`, `[${"{},".repeat(5_000)}{}]`])(
    "is refused before it is parsed, where it stands",
    async (prompt) => {
      const message = "has more than 10000 values";
      expect((await issuesOf("jsonl", `${line('"a"')}\n${line(prompt)}`)).issues).toEqual([
        { code: "value_error", path: [2], message: `Line 2: ${message}` },
      ]);
      expect((await issuesOf("json", `{"items":[${line('"a"')},${line(prompt)}]}`)).issues).toEqual([
        { code: "value_error", path: ["items", 1], message },
      ]);
    },
  );

  it("is not one whose texts have brackets and commas", async () => {
    const prompt = String.raw`\",[{`.repeat(10_000) + "\\";
    expect((await issuesOf("jsonl", line(JSON.stringify(prompt)))).items).toMatchObject([{ turns: [prompt] }]);
  });
});

describe("CSV", () => {
  const read = (text: string, size: number) => {
    const reader = new CsvReader();
    const records = parts(text, size).flatMap((part) => [...reader.push(part)]);
    return [...records, ...reader.end()];
  };
  const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
  const cell = fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\r", " ", "é"), maxLength: 5 });
  const file = fc.record({
    rows: fc.array(fc.array(cell, { minLength: 2, maxLength: 3 }), { minLength: 1, maxLength: 5 }),
    lineBreak: fc.constantFrom("\n", "\r\n"),
    endsWithBreak: fc.boolean(),
  });

  it("has the records that another reader has, each with the line where it begins", () => {
    fc.assert(
      fc.property(file, fc.integer({ min: 1, max: 7 }), ({ rows, lineBreak, endsWithBreak }, size) => {
        const lines = rows.map((cells) => cells.map((one) => (/^[aé ]+$/.test(one) ? one : quoted(one))).join(","));
        const text = lines.join(lineBreak) + (endsWithBreak ? lineBreak : "");
        const records = read(text, size);
        const options = { relax_column_count: true, record_delimiter: lineBreak };
        expect(records.map(({ cells }) => cells)).toEqual(parse(text, options));
        const starts = lines.map((_, index) => lines.slice(0, index).join("").split("\n").length + index);
        expect(records.map(({ line }) => line)).toEqual(starts);
      }),
      { numRuns: 500 },
    );
  });

  it("leaves out blank lines, and counts them", () => {
    expect(read("a,b\n\n\r\nc,d\n", 2)).toEqual([
      { line: 1, cells: ["a", "b"] },
      { line: 4, cells: ["c", "d"] },
    ]);
  });

  it("keeps one cell more than it may have of a record, however many there are", () => {
    const reader = new CsvReader();
    reader.maxCells = 2;
    const records = [...reader.push("a,b,c,d,e\nf,g\n"), ...reader.end()];
    expect(records.map(({ cells }) => cells)).toEqual([
      ["a", "b", "e"],
      ["f", "g"],
    ]);
  });

  it("keeps 1,001 cells of a head, however many there are", () => {
    const [head] = new CsvReader().push(`a${",".repeat(5_000)}\n`);
    expect(head?.cells).toHaveLength(1_001);
  });

  it("takes rows of 500,000 characters, and reads no further in a longer one", () => {
    const half = "x".repeat(250_000);
    expect(read(`a,b\n${half},"${half}"\n${half},${half}`, 100_000).map(({ line }) => line)).toEqual([1, 2, 3]);
    const tooLong = expect.objectContaining({ message: "A row has at most 500000 characters", line: 2 });
    for (const row of [`"${half}`, `${half},${half},`])
      expect(() => [...new CsvReader().push(`a\n${row}${half}x`)]).toThrow(tooLong);
  });

  it.each([
    ['a,"b\nc', "A quote is not closed", 1],
    ['a\n"b"c\n', "Text follows a closing quote", 2],
  ])("refuses %j", (text, message, line) => {
    expect(() => read(text, 3)).toThrow(expect.objectContaining({ message, line }));
  });
});
