/**
 * The events of a response as text. Their numbers follow from the reply's text alone, so that a reader who resumes gets the
 * same ones: each delta has the same few characters of it, whatever the portions were in which they came. No effects.
 * https://platform.openai.com/docs/api-reference/responses-streaming
 */
import { replyErrorFor } from "../../../core/caller.ts";
import type { Caller } from "../../../core/caller.ts";
import { replyFailure } from "../../../core/reply.ts";
import { isOfReader, problemOfReader } from "../../http/open-reply.ts";
import type { ReaderEnding, ReplyEnding, ReplyPortion } from "../../http/open-reply.ts";
import { namedEvent } from "../../http/reply-stream.ts";
import type { ReplyEvents } from "../../http/reply-stream.ts";
import { errorResponse } from "../errors.ts";
import { finishedResponse, messageStatusOf, outputMessage, outputText, responseInProgress } from "./present.ts";
import type { ResponseHead, ResponseObject, ResponseOutcome } from "./present.ts";

/** The UTF-16 code units of a delta, which are about as many as a token has. Fewer wait for those that follow. */
const DELTA_LENGTH = 4;

/** A delta does not end in the middle of a surrogate pair. */
function endOfDelta(text: string, start: number): number {
  const last = text.charCodeAt(start + DELTA_LENGTH - 1);
  return start + DELTA_LENGTH + (last >= 0xd8_00 && last < 0xdc_00 ? 1 : 0);
}

/** A response that is left to a person ends without an answer of the model. */
export const outcomeOf = (final: ReplyEnding): ResponseOutcome => (final.type === "human" ? HUMAN_HANDLES : final);

const HUMAN_HANDLES = replyFailure("cancelled", "A person handles this session.");

export class ResponseEvents implements ReplyEvents {
  readonly #head: ResponseHead;
  readonly #caller: Caller;
  readonly #startingAfter: number;
  /** Where in the response the text is. */
  readonly #place: object;
  #nextNumber = 0;
  #text = "";
  /** How much of the text the deltas have. */
  #sent = 0;

  /** @param startingAfter the number of the last event that the reader has; -1 for none */
  constructor(head: ResponseHead, caller: Caller, startingAfter = -1) {
    this.#head = head;
    this.#caller = caller;
    this.#startingAfter = startingAfter;
    this.#place = { item_id: this.#message("in_progress").id, output_index: 0, content_index: 0 };
  }

  start(): string {
    const response = responseInProgress(this.#head);
    return [
      this.#event("response.created", { response }),
      this.#event("response.in_progress", { response }),
      this.#event("response.output_item.added", { output_index: 0, item: this.#message("in_progress") }),
      this.#event("response.content_part.added", { ...this.#place, part: outputText("") }),
    ].join("");
  }

  portion({ text, final }: ReplyPortion): string {
    this.#text += text;
    const isComplete = final !== null && !isOfReader(final);
    let events = "";
    while (this.#sent < this.#text.length) {
      const end = endOfDelta(this.#text, this.#sent);
      if (end > this.#text.length && !isComplete) break;
      const delta = this.#text.slice(this.#sent, end);
      events += this.#event("response.output_text.delta", { ...this.#place, delta, logprobs: [] });
      this.#sent = end;
    }
    if (final === null) return events;
    return events + (isOfReader(final) ? this.#endOfReader(final) : this.#end(final));
  }

  #end(final: ReplyEnding): string {
    const given = outcomeOf(final);
    const outcome = "code" in given ? { ...given, ...replyErrorFor(this.#caller.role, given) } : given;
    const response = finishedResponse(this.#head, this.#text, outcome);
    if (response.status === "failed") return this.#failed(response, "code" in given && given.code === "interrupted");
    const item = this.#message(messageStatusOf(response.status));
    return [
      this.#event("response.output_text.done", { ...this.#place, text: this.#text, logprobs: [] }),
      this.#event("response.content_part.done", { ...this.#place, part: outputText(this.#text) }),
      this.#event("response.output_item.done", { output_index: 0, item }),
      this.#event(response.status === "completed" ? "response.completed" : "response.incomplete", { response }),
    ].join("");
  }

  /**
   * After a crash the log can have less text than a reader has, and the number of this event may be that of a text which the
   * reader has. So it always follows the reader's last event then, also for one who has it already.
   */
  #failed(response: ResponseObject, isInterrupted: boolean): string {
    if (isInterrupted) this.#nextNumber = Math.max(this.#nextNumber, this.#startingAfter + 1);
    return this.#event("response.failed", { response });
  }

  /** The response goes on. A reader resumes behind the event before this one, so both have its number. */
  #endOfReader(final: ReaderEnding): string {
    const sequence_number = Math.max(this.#nextNumber - 1, this.#startingAfter);
    const { error } = errorResponse(problemOfReader(final)).body;
    const message = `${error.message}. Resume with starting_after=${sequence_number}`;
    return namedEvent("error", { type: "error", sequence_number, error: { ...error, message } });
  }

  #message(status: ResponseObject["output"][number]["status"]) {
    return outputMessage(this.#head, this.#text, status);
  }

  #event(type: string, fields: object): string {
    const sequence_number = this.#nextNumber;
    this.#nextNumber += 1;
    return sequence_number > this.#startingAfter ? namedEvent(type, { type, sequence_number, ...fields }) : "";
  }
}
