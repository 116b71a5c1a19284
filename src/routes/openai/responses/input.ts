/** Reads the input of a response: a text, or messages. No effects. */
import type * as z from "zod";
import type { ModelMessage } from "../../../core/reply.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { unsupported } from "../errors.ts";
import { readMessages } from "../messages.ts";
import type { GivenMessage } from "../messages.ts";
import type { CreateResponse } from "./schemas.ts";

const TEXT_PARTS = ["input_text", "output_text", "text"];

type Input = Pick<z.output<typeof CreateResponse>, "input" | "instructions">;

/** The messages that the model gets, instructions first. @returns the problem of the first item that is no message */
export function readInput({ input, instructions }: Input): ModelMessage[] | HttpProblem {
  const messages = typeof input === "string" ? [{ role: "user" as const, content: input }] : readItems(input);
  if ("reason" in messages || instructions == null) return messages;
  return [{ role: "system", content: instructions }, ...messages];
}

function readItems(items: Exclude<Input["input"], string>): ModelMessage[] | HttpProblem {
  const messages: GivenMessage[] = [];
  for (const [index, { type, role, ...item }] of items.entries()) {
    if ((type ?? "message") !== "message" || role === undefined)
      return unsupported("unsupported_content", ["input", index], `items of type ${String(type)} are not supported`);
    messages.push({ ...item, role });
  }
  return readMessages(messages, "input", TEXT_PARTS);
}
