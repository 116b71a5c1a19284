/** A reply as the parts of a UI message stream. No effects. https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol */
import type * as z from "zod";
import { replyErrorFor } from "../../core/caller.ts";
import type { Caller } from "../../core/caller.ts";
import { isOfReader, problemOfReader } from "../http/open-reply.ts";
import type { FinalEvent, ReplyPortion } from "../http/open-reply.ts";
import { describeProblem } from "../http/problem.ts";
import { dataEvent } from "../http/reply-stream.ts";
import type { ReplyEvents } from "../http/reply-stream.ts";
import { presentMetadata } from "./present.ts";
import type { ReplyPart } from "./response-schemas.ts";

type Part = z.output<typeof ReplyPart>;

/** The id of the only text of a message. */
const id = "text";

const DONE = "data: [DONE]\n\n";

export class ReplyParts implements ReplyEvents {
  readonly #messageId: string;
  readonly #caller: Caller;
  #hasText = false;

  constructor(messageId: string, caller: Caller) {
    this.#messageId = messageId;
    this.#caller = caller;
  }

  start(): string {
    return textOf([{ type: "start", messageId: this.#messageId }]);
  }

  portion({ text, final }: ReplyPortion): string {
    const parts: Part[] = [];
    if (text !== "") {
      if (!this.#hasText) parts.push({ type: "text-start", id });
      this.#hasText = true;
      parts.push({ type: "text-delta", id, delta: text });
    }
    if (final === null) return textOf(parts);
    if (this.#hasText) parts.push({ type: "text-end", id });
    return textOf([...parts, ...this.#ending(final)]) + DONE;
  }

  #ending(final: FinalEvent): Part[] {
    if (final.type === "human") return [HANDLED_BY_HUMAN, { type: "finish" }];
    if (isOfReader(final)) return [{ type: "error", errorText: describeProblem(problemOfReader(final)).message }];
    if (final.type !== "end") return [{ type: "error", errorText: replyErrorFor(this.#caller.role, final).message }];
    const finish: Part = { type: "finish", messageMetadata: presentMetadata(final) };
    return final.isTakenOver ? [HANDLED_BY_HUMAN, finish] : [finish];
  }
}

const HANDLED_BY_HUMAN: Part = { type: "data-handler", data: { handler: "human" } };

const textOf = (parts: Part[]): string => parts.map(dataEvent).join("");
