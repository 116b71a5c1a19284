/** Schemas of the requests to `/v1/runs`. Items are read one by one: see `read-items.ts`. */
import * as z from "zod/mini";
import { compileRegex } from "../../../core/linear-regex.ts";
import { MAX_REGEX_LENGTH } from "../../../core/regex-syntax.ts";
import { Content, MAX_CONTENT_LENGTH, REPLY_STATUSES } from "../../../core/message.ts";
import {
  DEFAULT_CONCURRENCY,
  MAX_CONCURRENCY,
  MAX_ITEM_CHARACTERS,
  MAX_ITEM_TURNS,
  MAX_REPEAT,
  MAX_RUN_ITEMS,
} from "../../../core/run.ts";
import { flag, limitUpTo, name, pageQuery, wholeNumber } from "../../http/fields.ts";
import { endpointIds, optionalName, optionalSystemPrompt } from "../sessions/schemas.ts";

const expectedText = z.optional(z.string().check(z.minLength(1), z.maxLength(MAX_CONTENT_LENGTH)));

export const Expect = z
  .strictObject({
    contains: expectedText,
    equals: expectedText,
    not_contains: expectedText,
    regex: z.optional(z.string().check(z.minLength(1), z.maxLength(MAX_REGEX_LENGTH))).check(
      z.superRefine((pattern, context) => {
        const compiled = compileRegex(pattern ?? "");
        if ("error" in compiled) context.addIssue({ code: "custom", message: `is not understood: ${compiled.error}` });
      }),
      z.meta({ description: "In RE2's syntax: without look-around and back references" }),
    ),
  })
  .check(
    z.refine((expect) => Object.values(expect).some((text) => text !== undefined), "must say what is expected"),
    z.meta({
      description: "What the last reply must be like. All that is given must hold, and case counts",
    }),
  );

const tags = z.optional(z.array(z.string().check(z.minLength(1), z.maxLength(100))).check(z.maxLength(50)));
const itemId = z.optional(z.string().check(z.minLength(1), z.maxLength(200)));
const expect = z.optional(z.nullable(Expect));

/** One item, in any of its forms. */
export const Item = z
  .strictObject({
    id: itemId,
    turns: z.optional(z.array(Content).check(z.minLength(1), z.maxLength(MAX_ITEM_TURNS))),
    prompt: z.optional(Content),
    input: z.optional(Content).check(z.meta({ description: "As in Moonshot's data sets, with `target`" })),
    target: z.optional(z.string().check(z.maxLength(MAX_CONTENT_LENGTH))),
    expect,
    tags,
  })
  .check(
    z.superRefine((item, context) => {
      const given = (["turns", "prompt", "input"] as const).filter((field) => item[field] !== undefined);
      if (given.length !== 1) context.addIssue({ code: "custom", message: "must have one of turns, prompt and input" });
      if (item.target !== undefined && (item.input === undefined || item.expect))
        context.addIssue({ code: "custom", path: ["target"], message: "goes with input, and in place of expect" });
      const characters = (item.turns ?? []).reduce((sum, prompt) => sum + prompt.length, 0);
      if (characters > MAX_ITEM_CHARACTERS)
        context.addIssue({
          code: "custom",
          path: ["turns"],
          message: `must have at most ${MAX_ITEM_CHARACTERS} characters`,
        });
    }),
  );

const whole = (minimum: number, maximum: number) => z.int().check(z.gte(minimum), z.lte(maximum));

const distinctEndpoints = endpointIds.check(
  z.refine(
    (ids) => new Set(ids).size === ids.length,
    "must not name an endpoint twice: repeat asks each several times",
  ),
);

const MAX_SEED = 4_294_967_295;

/** What a run is, but for its items. */
const fields = {
  name,
  endpoints: distinctEndpoints,
  repeat: z._default(whole(1, MAX_REPEAT), 1),
  concurrency: z._default(
    whole(1, MAX_CONCURRENCY).check(z.meta({ description: "Conversations at once" })),
    DEFAULT_CONCURRENCY,
  ),
  prompt_template: optionalName,
  context_strategy: optionalName,
  system_prompt: optionalSystemPrompt,
  order_seed: z._default(
    z.nullable(whole(0, MAX_SEED)).check(z.meta({ description: "Shuffles the conversations, the same way each time" })),
    null,
  ),
};

export const RunFields = z.strictObject(fields);
export type RunFields = z.output<typeof RunFields>;

/** The body as JSON. It is not validated as a whole: it may have 32 MiB. */
export const CreateRun = z.strictObject({
  ...fields,
  items: z.array(Item).check(z.minLength(1), z.maxLength(MAX_RUN_ITEMS)),
});

const text = z.optional(z.string());
const number = z.optional(wholeNumber(0));

/** The fields of a run whose items are JSON Lines or CSV. */
export const CreateRunQuery = z.strictObject({
  name: text,
  endpoints: z.optional(
    z.pipe(
      z.string().check(z.meta({ description: "Their ids, with commas between them", examples: ["echo,eliza"] })),
      z.transform((ids) => ids.split(",").map((id) => id.trim())),
    ),
  ),
  repeat: number,
  concurrency: number,
  prompt_template: text,
  context_strategy: text,
  system_prompt: text,
  order_seed: number,
});

export const ListRuns = z.strictObject({ limit: limitUpTo(1000), skip: pageQuery.skip });

export const ListResults = z.strictObject({
  item: z.optional(z.string().check(z.meta({ description: "The id of an item" }))),
  endpoint: z.optional(z.string()),
  status: z.optional(z.enum(REPLY_STATUSES)),
  pass: z.optional(flag).check(z.meta({ description: "Only answers that are judged have it" })),
  limit: limitUpTo(1000, 100),
  skip: pageQuery.skip,
});

export const ExportRun = z.strictObject({
  format: z._default(z.enum(["jsonl", "csv", "promptfoo", "junit"]), "jsonl"),
  raw: z.optional(flag).check(
    z.meta({
      description: "With format=csv: no cell gets a leading ' that keeps a spreadsheet from taking it for a formula",
    }),
  ),
});
