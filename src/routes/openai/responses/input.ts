/** Reads the input of a response: a text, messages, or answers by their ids. Effects: reads those answers. */
import type { Context } from "hono";
import type * as z from "zod";
import type { ModelMessage } from "../../../core/reply.ts";
import type { AppEnv } from "../../http/context.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { unsupported } from "../errors.ts";
import { readMessages, readPrompt } from "../messages.ts";
import type { GivenMessage } from "../messages.ts";
import { resolveReferences } from "./references.ts";
import type { CreateResponse, InputItem } from "./schemas.ts";

const TEXT_PARTS = ["input_text", "output_text", "text"];

type Input = Pick<z.output<typeof CreateResponse>, "input" | "instructions">;

/** The messages that the model gets, instructions first. @returns the problem of the first item that is no message */
export async function readInput(
  c: Context<AppEnv>,
  { input, instructions }: Input,
): Promise<ModelMessage[] | HttpProblem> {
  const messages = typeof input === "string" ? readText(input) : await readItems(c, input);
  if ("reason" in messages || instructions == null) return messages;
  return [{ role: "system", content: instructions }, ...messages];
}

function readText(input: string): ModelMessage[] | HttpProblem {
  const prompt = readPrompt(input, ["input"]);
  return "reason" in prompt ? prompt : [prompt];
}

async function readItems(c: Context<AppEnv>, given: InputItem[]): Promise<ModelMessage[] | HttpProblem> {
  const items = await resolveReferences(c, given);
  if ("reason" in items) return items;
  const messages: GivenMessage[] = [];
  for (const [index, { type, role, ...item }] of items.entries()) {
    if ((type ?? "message") !== "message" || role === undefined)
      return unsupported("unsupported_content", ["input", index], `items of type ${String(type)} are not supported`);
    messages.push({ ...item, role });
  }
  return readMessages(messages, "input", TEXT_PARTS);
}
