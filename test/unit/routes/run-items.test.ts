/** Reads items of runs from bodies that come in parts of any size. */
import * as fc from "fast-check";
import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import type { RunItem } from "../../../src/core/run.ts";
import { CsvReader } from "../../../src/routes/moonshot/runs/csv-records.ts";
import { ItemReader } from "../../../src/routes/moonshot/runs/read-items.ts";
import type { BodyFormat } from "../../../src/routes/moonshot/runs/read-items.ts";
import { ItemsTwice, JsonItemReader } from "../../../src/routes/moonshot/runs/json-items.ts";
import { JsonLineReader } from "../../../src/routes/moonshot/runs/json-lines.ts";

/** Cuts a text into parts. */
const parts = (text: string, size: number): string[] =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, index) => text.slice(index * size, (index + 1) * size));

/** Reads a body that comes in at once. @returns its items, its problems, and how often other work could run meanwhile */
async function itemsOf(format: BodyFormat, text: string) {
  const reader = new ItemReader(format);
  const items: RunItem[] = [];
  let steps = 0;
  const runOtherWork = async () => {
    steps += 1;
  };
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });
  for await (const item of reader.read(body, runOtherWork)) items.push(item);
  return { items, issues: reader.issues, steps };
}

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
  const line = (prompt: string) => `{"prompt":${prompt}}`;

  it.each(["[".repeat(9_999) + "]".repeat(9_999), `[${"0,".repeat(9_999)}0]`, `[${"{},".repeat(5_000)}{}]`])(
    "is refused before it is parsed, where it stands",
    async (prompt) => {
      const message = "has more than 10000 values";
      expect((await itemsOf("jsonl", `${line('"a"')}\n${line(prompt)}`)).issues).toEqual([
        { code: "value_error", path: [2], message: `Line 2: ${message}` },
      ]);
      expect((await itemsOf("json", `{"items":[${line('"a"')},${line(prompt)}]}`)).issues).toEqual([
        { code: "value_error", path: ["items", 1], message },
      ]);
    },
  );

  it("is not one whose texts have brackets and commas", async () => {
    const prompt = String.raw`\",[{`.repeat(10_000) + "\\";
    expect((await itemsOf("jsonl", line(JSON.stringify(prompt)))).items).toMatchObject([{ turns: [prompt] }]);
  });
});

describe("JSON Lines", () => {
  const read = (text: string, size: number) => {
    const reader = new JsonLineReader();
    return [...parts(text, size).flatMap((part) => [...reader.push(part)]), ...reader.end()];
  };

  it("are read with their numbers, and blank ones are left out", () => {
    const file = fc.string({ unit: fc.constantFrom("a", " ", "\t", "\r", "\n", "é"), maxLength: 30 });
    fc.assert(
      fc.property(file, fc.integer({ min: 1, max: 7 }), (text, size) => {
        const lines = text.split("\n").map((line, index) => ({ line: index + 1, text: line.trim() }));
        const found = read(text, size).map(({ line, text: of }) => ({ line, text: of.trim() }));
        expect(found).toEqual(lines.filter((line) => line.text !== ""));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(["\n", "\r\n", " \n"])("wait for nothing between blank lines: %j", async (line) => {
    const text = line.repeat(100_000);
    let [waits, isReading] = [0, true];
    const count = async () => {
      for (; isReading; waits++) await Promise.resolve();
    };
    const counted = count();
    const { items, issues } = await itemsOf("jsonl", text);
    isReading = false;
    await counted;
    expect([items, issues]).toEqual([[], []]);
    expect(waits).toBeLessThan(1_000);
  });
});

describe("a long body", () => {
  const line = JSON.stringify({ prompt: "a" });

  it.each([
    ["json", `{"items":[${Array(5_000).fill(line).join(",")}]}`],
    ["jsonl", `${line}\n`.repeat(5_000)],
    ["csv", `prompt\n${"a\n".repeat(5_000)}`],
  ] as const)("lets other work run after every 100 items of %s", async (format, text) => {
    const { items, steps } = await itemsOf(format, text);
    expect(items).toHaveLength(5_000);
    expect(steps).toBeGreaterThanOrEqual(50);
  });

  it.each(["json", "jsonl", "csv"] as const)("lets other work run where %s has no items", async (format) => {
    const { steps } = await itemsOf(format, `${format === "json" ? '{"items":[' : ""}${"\n".repeat(4_194_304)}`);
    expect(steps).toBeGreaterThanOrEqual(31);
  });

  it("is refused for what it has outside items, and not as if it were no JSON", async () => {
    const { issues } = await itemsOf("json", `{"name":[${"0,".repeat(600_000)}0],"items":[${line}]}`);
    const message = "The body has more than 1048576 characters outside items";
    expect(issues).toEqual([{ code: "value_error", path: [], message }]);
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
    ['a\n"b";c\n', "The cells seem to be separated by semicolons: separate them with commas", 2],
  ])("refuses %j", (text, message, line) => {
    expect(() => read(text, 3)).toThrow(expect.objectContaining({ message, line }));
  });

  it.each(["id;prompt;tags\n1;Hi;a|b\n2;Hello, you;c\n", '"id";"prompt"\n"1";"Hi"\n', 'id;"prompt"\n1;Hi\n'])(
    "says once that the cells of %j are separated by semicolons",
    async (text) => {
      const message = "Line 1: The cells seem to be separated by semicolons: separate them with commas";
      expect(await itemsOf("csv", text)).toMatchObject({
        items: [],
        issues: [{ code: "value_error", path: [1], message }],
      });
    },
  );

  it.each(["sep=;\nid;prompt\n1;Hi\n", "\uFEFFsep=,\r\nid,prompt\r\n1,Hi\r\n", '"SEP=;"\nprompt\nHi\n'])(
    "refuses the line of %j that names the separator, and reads no further",
    async (text) => {
      const message =
        'Line 1: The line "sep=" is for spreadsheet programs only: remove it, and separate the cells with commas';
      expect(await itemsOf("csv", text)).toMatchObject({ items: [], issues: [{ path: [1], message }] });
    },
  );

  it("reads no row when the head is wrong, and says all that is wrong with the head", async () => {
    const { items, issues } = await itemsOf("csv", "id,id,question\n1,1,Hi\n2\n");
    const messages = issues.map(({ message }) => message);
    expect([items, messages]).toEqual([
      [],
      [
        expect.stringContaining('Line 1: The column "question" is not known: there are id, prompt'),
        "Line 1: A column prompt is required",
        "Line 1: A column is there twice",
      ],
    ]);
  });

  it("names each row without a prompt, also one of nothing but commas", async () => {
    const message = (line: number) => `Line ${line}: has no prompt: write one, or remove the row`;
    expect(await itemsOf("csv", "id,prompt,tags\n1,Hi,\n,,\n\n4,,a\n5\n")).toMatchObject({
      items: [{ id: "1" }],
      issues: [3, 5, 6].map((line) => ({ path: [line, "prompt"], message: message(line) })),
    });
  });

  it.each(["prompt\nHi; you;prompt\n", "id,prompt\n1,a;b\n"])(
    "takes the semicolons in the texts of %j",
    async (text) => {
      expect(await itemsOf("csv", text)).toMatchObject({ items: [{}], issues: [] });
    },
  );
});
