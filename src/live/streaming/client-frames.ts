/**
 * The frames that a client may send over a socket, and how they are read. What a frame does is a command of the session's
 * room. Pure.
 */
import * as z from "zod";
import { Content, ROLES } from "../../core/message.ts";

const id = z.string().min(1).max(200);

/** Everything that may be said over a socket, but the text `ping`. */
export const ClientFrame = z
  .discriminatedUnion("type", [
    z.object({ type: z.literal("message-append"), id, role: z.enum(ROLES), content: Content }),
    z.object({ type: z.literal("prompt-submit"), id, content: Content }),
    z.object({ type: z.literal("turn-cancel"), id, chatId: z.string().optional() }),
  ])
  .meta({ id: "ClientFrame", description: "What may be said to a session over its socket" });
export type ClientFrame = z.output<typeof ClientFrame>;

/**
 * Reads what came over a socket.
 *
 * @returns the frame, or what is wrong with it and the id that it carries, if that much can be read
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
  const [issue] = read.error.issues;
  return { problem: `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "unreadable"}`, id: withId.data?.id ?? null };
}

/** An escape can bring in what the text itself cannot: half a character. */
const wellFormed = (frame: ClientFrame): ClientFrame =>
  "content" in frame ? { ...frame, content: frame.content.toWellFormed() } : frame;
