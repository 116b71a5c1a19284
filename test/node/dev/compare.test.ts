/** `npm run compare` as a person runs it, against a started server. */
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startLocalServer } from "../../support/local-server.node.ts";
import type { LocalServer } from "../../support/local-server.node.ts";

const PROGRAM = new URL("../../../src/dev/compare.ts", import.meta.url).pathname;
const NO_SERVER = "http://127.0.0.1:9";

const folder = mkdtempSync(join(tmpdir(), "parley-compare-"));
let server: LocalServer;

beforeAll(async () => {
  server = await startLocalServer();
  const params = { delay_ms: 300 };
  await server.parley.endpoints.create({ name: "slow", connector_type: "echo-connector", params });
}, 120_000);

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

interface Started {
  /** Resolves when it has written a text. */
  untilShown: (text: string) => Promise<void>;
  kill: (signal: "SIGINT" | "SIGKILL") => void;
  ended: Promise<{ code: number | null; output: string }>;
}

function start(args: string[], environment: Record<string, string> = {}): Started {
  const env = { ...process.env, INIT_CWD: folder, PARLEY_URL: server.address, PARLEY_KEY: server.key, ...environment };
  const child = spawn(process.execPath, ["--no-warnings", PROGRAM, ...args], { env });
  let output = "";
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes: Buffer) => {
      output += bytes.toString();
      for (const listener of listeners) listener();
    });
  return {
    untilShown: (text) =>
      new Promise((resolve) => {
        const listener = () => output.includes(text) && resolve();
        listeners.add(listener);
        listener();
      }),
    kill: (signal) => child.kill(signal),
    ended: new Promise((resolve) => {
      child.on("close", (code) => resolve({ code, output }));
    }),
  };
}

const compare = (...args: string[]) => start(args).ended;

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

const runsNamed = async (name: string) => (await server.parley.runs.list()).filter((run) => run.name === name);

const LINES = '{"prompt": "Paris", "expect": {"contains": "Paris"}}\n{"input": "Japan?", "target": "Tokyo"}\n';

it.each([
  ["lines.jsonl", LINES],
  ["cells.csv", "prompt,expect_contains\nParis,Paris\nJapan?,Tokyo\n"],
  ["list.yaml", "- {prompt: Paris, expect: {contains: Paris}}\n- {prompt: Japan?, expect: {contains: Tokyo}}\n"],
  ["moonshot.json", '{"examples": [{"input": "Paris", "target": "Paris"}, {"input": "Japan?", "target": "Tokyo"}]}'],
  [
    "promptfoo.yaml",
    "prompts: ['{{p}}']\ntests:\n  - {vars: {p: Paris}, assert: [{type: contains, value: Paris}]}\n  - {vars: {p: Japan?}, assert: [{type: contains, value: Tokyo}]}\n",
  ],
])("puts %s to endpoints, shows a table and writes the files", async (name, text) => {
  write(name, text);
  const { code, output } = await compare(name, "--endpoints", "echo,eliza", "--repeat", "2");
  expect(output).toMatch(/8 of 8 answers \(100 %\)/);
  expect(output).toMatch(/echo +2 of 4 \(50\.0 %\) +15\.0 % to 85\.0 % +0 /);
  expect(code).toBe(0);
  for (const file of ["answers.jsonl", "answers.csv", "junit.xml", "promptfoo.json"])
    expect(readFileSync(join(folder, `${name}-results`, file), "utf8").length).toBeGreaterThan(100);
});

it("takes its own JSON Lines as a data set", async () => {
  await compare(write("first.jsonl", LINES), "--endpoints", "echo,slow", "--repeat", "2", "--out", "out");
  const { code } = await compare("out/answers.jsonl", "--endpoints", "echo", "--name", "Second");
  expect(code).toBe(0);
  expect(await runsNamed("Second")).toMatchObject([{ progress: { done: 2, of: 2, errors: 0 } }]);
});

it("keeps the results of another run of the same file", async () => {
  const args = (endpoints: string) => [write("kept.jsonl", LINES), "--endpoints", endpoints];
  const read = (...path: string[]) => readFileSync(join(folder, "kept.jsonl-results", ...path), "utf8");
  await compare(...args("echo"));
  const [run, answers] = [read("run.txt").trim(), read("answers.jsonl")];
  const { code, output } = await compare(...args("eliza"));
  expect([code, output.replaceAll(/\s+/g, " ")]).toEqual([
    0,
    expect.stringContaining(`they are now in kept.jsonl-results/${run}`),
  ]);
  expect(read(run, "answers.jsonl")).toBe(answers);
  expect(read("answers.jsonl")).toContain('"eliza"');
  const other = read("run.txt").trim();
  await compare(...args("echo"));
  await compare(...args("echo"));
  expect([read("answers.jsonl"), read("run.txt").trim()]).toEqual([answers, run]);
  expect(read(other, "answers.jsonl")).toContain('"eliza"');
});

it.each(["{", "null", '{"a": 1}'])("has no result if the file beside the results is %s, and names it", async (text) => {
  const file = write(`damaged-${text.length}.jsonl`, LINES);
  mkdirSync(join(folder, `${file}-results`));
  write(`${file}-results/runs.json`, text);
  const { code, output } = await compare(file, "--endpoints", "echo");
  expect([code, output]).toEqual([2, expect.stringContaining("runs.json is not as this program wrote it")]);
});

it("has no result if its folder is a file", async () => {
  const { code, output } = await compare(write("taken.jsonl", LINES), "--endpoints", "echo", "--out", "taken.jsonl");
  expect([code, output]).toEqual([2, expect.stringContaining("taken.jsonl is a file")]);
});

it("takes a file that begins with a byte order mark", async () => {
  const { code } = await compare(write("marked.json", `\uFEFF[{"prompt": "Paris"}]`), "--endpoints", "echo");
  expect(code).toBe(0);
});

it("fails under a share that an endpoint does not reach", async () => {
  const args = [write("share.jsonl", LINES), "--endpoints", "echo", "--fail-under"];
  expect((await compare(...args, "50%")).code).toBe(0);
  const below = await compare(...args, "0.51");
  expect(below.code).toBe(1);
  expect(below.output).toMatch(/echo passes 50\.0 %, below --fail-under 51\.0 %\n +So the exit code is 1/);
  expect(await runsNamed("share")).toHaveLength(1);
});

it("finds its run again after it was killed, and asks nothing twice without --again", async () => {
  write("kill.jsonl", Array.from({ length: 30 }, (_, index) => `{"prompt": "${index}"}\n`).join(""));
  const args = ["kill.jsonl", "--endpoints", "slow", "--concurrency", "4"];
  const first = start(args);
  await first.untilShown("answers");
  first.kill("SIGKILL");
  await first.ended;
  expect(existsSync(join(folder, "kill.jsonl-results", "answers.jsonl"))).toBe(false);
  const again = await compare(...args);
  expect(again.output).toContain("30 of 30 answers");
  expect((await compare(...args)).output).toContain("asked before");
  expect(await runsNamed("kill")).toHaveLength(1);
  await compare(...args, "--again");
  expect(await runsNamed("kill")).toHaveLength(2);
});

it("leaves its run going on Ctrl-C, and goes on with one that was cancelled meanwhile", async () => {
  write("stop.jsonl", Array.from({ length: 30 }, (_, index) => `{"prompt": "${index}"}\n`).join(""));
  const args = ["stop.jsonl", "--endpoints", "slow", "--concurrency", "4"];
  const first = start(args);
  await first.untilShown("answers");
  first.kill("SIGINT");
  const { code, output } = await first.ended;
  expect([code, output]).toEqual([130, expect.stringContaining("The run goes on without this program")]);
  const [run] = await runsNamed("stop");
  expect(run?.status).toBe("running");
  const command = /^ +curl .*\/cancel .*$/m.exec(output)?.[0] ?? "";
  const shell = promisify(execFile)("bash", ["-c", command], { env: { ...process.env, PARLEY_KEY: server.key } });
  expect((await shell).stdout).toContain('"success":true');
  expect(await compare(...args)).toMatchObject({ code: 0, output: expect.stringContaining("30 of 30 answers") });
  expect(await runsNamed("stop")).toHaveLength(1);
});

it.each([
  ["an endpoint that is not there", ["good.jsonl", "--endpoints", "ecko"], "no endpoint ecko. Do you mean echo?"],
  ["a strategy that is not there", ["good.jsonl", "--endpoints", "echo", "--strategy", "x"], '"x" not found'],
  ["a chatbot that is not there", ["good.jsonl", "--endpoints", `chatbot:${"0".repeat(24)}`], "not found"],
  [
    "semicolons",
    ["semicolons.csv", "--endpoints", "echo"],
    "\n  Line 1: The cells seem to be separated by semicolons: separate",
  ],
  ["a bad line", ["bad.jsonl", "--endpoints", "echo"], "\n  Line 2: "],
  ["a bad item", ["bad.yaml", "--endpoints", "echo"], "line 2: expect.regex: is not understood"],
  ["no file", ["none.jsonl", "--endpoints", "echo"], "There is no file"],
  ["no endpoints", ["good.jsonl"], "Name the endpoints"],
  ["an unknown option", ["good.jsonl", "--endpoints", "echo", "--nope"], "--nope"],
  ["no share", ["good.jsonl", "--endpoints", "echo", "--fail-under", "81"], "must be a share"],
])("says what to do with %s, and starts nothing", async (_, args, message) => {
  write("good.jsonl", LINES);
  write("bad.jsonl", '{"prompt": "Hi"}\n{"prompt": 1}\n');
  write("semicolons.csv", "id;prompt\n1;Hi\n");
  write("bad.yaml", "- prompt: Hi\n- {prompt: Hi, expect: {regex: '(?=a)'}}\n");
  const before = (await server.parley.runs.list()).length;
  expect(await compare(...args)).toEqual({ code: 2, output: expect.stringContaining(message) });
  expect(await server.parley.runs.list()).toHaveLength(before);
  expect(existsSync(join(folder, `${args[0]}-results`))).toBe(false);
});

it("keeps what it knows of other runs when one is refused", async () => {
  const file = write("refused.jsonl", LINES);
  const known = () => readFileSync(join(folder, `${file}-results`, "runs.json"), "utf8");
  await compare(file, "--endpoints", "echo");
  const before = known();
  const args = [file, "--endpoints", "echo"];
  await compare(...args, "--strategy", "x");
  expect(known()).toBe(before);
  const { code } = await start([...args, "--again"], { PARLEY_KEY: "wrong" }).ended;
  expect([code, known()]).toEqual([2, before]);
  expect((await compare(...args)).output).toContain("asked before");
});

it("says what to do without a server, and without a key", async () => {
  const args = [write("good.jsonl", LINES), "--endpoints", "echo"];
  const alone = await start(args, { PARLEY_URL: NO_SERVER }).ended;
  expect(alone).toEqual({ code: 2, output: expect.stringContaining(`does not answer at ${NO_SERVER}`) });
  const stranger = await start(args, { PARLEY_KEY: "wrong" }).ended;
  expect(stranger).toEqual({ code: 2, output: expect.stringContaining("Set PARLEY_KEY") });
});
