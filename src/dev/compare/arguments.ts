/** Reads the command line of `npm run compare`, and from the environment the folder that it was called in. */
import { basename, extname, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { RunFields } from "../../client/index.ts";
import { NO_RESULT, UserError } from "../program.ts";

export const HELP = `
npm run compare -- <file> --endpoints <id,id,…> [options]

  <file>              items: .jsonl, .csv, .json or .yaml (also tests of promptfoo, and data sets of Moonshot)
  --endpoints         ids of endpoints, or chatbot:<id>, with commas between them

  --repeat <n>        how often each item is put; 1 if left out
  --concurrency <n>   conversations at once; 8 if left out
  --system-prompt <text>
  --template <name>   a prompt template
  --strategy <name>   a context strategy, such as chat_history
  --name <text>       of the run; the file's name if left out
  --out <folder>      where the files of results go; <file>-results if left out
  --fail-under <x>    exit code 1 if an endpoint passes less: 0.8 or 80%
  --again             put everything again, and not go on with an earlier run

PARLEY_URL and PARLEY_KEY name another server than the one on this machine.
`;

export interface CompareOptions {
  /** Absolute. */
  file: string;
  run: Omit<RunFields, "items">;
  /** Absolute. */
  out: string;
  /** A share, from 0 to 1. */
  failUnder: number | null;
  again: boolean;
}

const OPTIONS = {
  endpoints: { type: "string" },
  repeat: { type: "string" },
  concurrency: { type: "string" },
  "system-prompt": { type: "string" },
  template: { type: "string" },
  strategy: { type: "string" },
  name: { type: "string" },
  out: { type: "string" },
  "fail-under": { type: "string" },
  again: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/** @returns `null` if help was asked for @throws {@link UserError} */
export function readArguments(args: string[]): CompareOptions | null {
  const { values, positionals } = parsed(args);
  if (values.help) return null;
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0) throw usageError("Name one file.");
  const endpoints = (values.endpoints ?? "").split(",").map((id) => id.trim());
  if (endpoints.includes("")) throw usageError("Name the endpoints: --endpoints echo,eliza");
  const folder = callersFolder();
  const path = resolve(folder, file);
  const run = { name: values.name ?? basename(path, extname(path)), endpoints, ...fieldsOf(values) };
  const out = resolve(folder, values.out ?? `${path}-results`);
  return { file: path, run, out, failUnder: shareOf(values["fail-under"]), again: values.again };
}

/** The folder that the person is in: npm runs its scripts in the one of the project. */
export const callersFolder = (): string => process.env["INIT_CWD"] ?? process.cwd();

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
}

const usageError = (message: string) => new UserError(`${message}\n${HELP}`, NO_RESULT);

/** Options of the run that were given. */
function fieldsOf(values: ReturnType<typeof parsed>["values"]): Partial<RunFields> {
  const { template, strategy, "system-prompt": systemPrompt } = values;
  return {
    ...numberField("repeat", values.repeat),
    ...numberField("concurrency", values.concurrency),
    ...(template === undefined ? {} : { prompt_template: template }),
    ...(strategy === undefined ? {} : { context_strategy: strategy }),
    ...(systemPrompt === undefined ? {} : { system_prompt: systemPrompt }),
  };
}

function numberField(name: "repeat" | "concurrency", text: string | undefined): { [name]?: number } {
  if (text === undefined) return {};
  if (!/^\d+$/.test(text)) throw usageError(`--${name} must be a whole number.`);
  return { [name]: Number(text) };
}

function shareOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const [, digits = "", percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const share = percent === "%" ? Number(digits) / 100 : Number(digits);
  if (digits === "" || share > 1) throw usageError("--fail-under must be a share, such as 0.8 or 80%.");
  return share;
}
