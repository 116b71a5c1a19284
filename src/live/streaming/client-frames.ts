/**
 * The frames that a client can send over a socket, and how to parse them. What a frame does does not belong here: that
 * is `frame-commands.ts`. Pure.
 */
import * as z from "zod/mini";
import "../../core/zod-messages.ts";
import { Content, ROLES } from "../../core/message.ts";
import { unknownFieldMessage, unknownFields } from "../../core/unknown-fields.ts";

const id = z.string().check(z.minLength(1), z.maxLength(200));

/** All frames that a client can send, except the text `ping`. */
export const ClientFrame = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("message-append"), id, role: z.enum(ROLES), content: Content }),
    z.strictObject({ type: z.literal("prompt-submit"), id, content: Content }),
    z.strictObject({ type: z.literal("turn-cancel"), id, chatId: z.optional(z.string()) }),
  ])
  .check(z.meta({ id: "ClientFrame", description: "A frame from a client to a session, over a socket" }));
export type ClientFrame = z.output<typeof ClientFrame>;

/**
 * Parses a frame.
 *
 * @returns the frame, or what is wrong with it, and its id if that can be read
 */
export function readFrame(text: string): { frame: ClientFrame } | { problem: string; id: string | null } {
  let value: unknown;
  try {
    value = JSON.parse(text.toWellFormed());
  } catch {
    return { problem: "A frame is a JSON object", id: null };
  }
  const read = ClientFrame.safeParse(value);
  if (read.success) return { frame: wellFormed(read.data) };
  const withId = z.object({ id }).safeParse(value);
  return { problem: problemOf(read.error), id: withId.data?.id ?? null };
}

function problemOf({ issues: [issue] }: z.core.$ZodError): string {
  if (issue?.code !== "unrecognized_keys") return `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "unreadable"}`;
  const [field] = unknownFields(ClientFrame, issue.path, issue.keys.slice(0, 1));
  return field ? `${field.shownName}: ${unknownFieldMessage("field", field)}` : "unknown field";
}

/** A JSON escape can add a lone surrogate, which the text itself cannot contain. */
const wellFormed = (frame: ClientFrame): ClientFrame =>
  "content" in frame ? { ...frame, content: frame.content.toWellFormed() } : frame;
