/**
 * Schemas of what the answers of several resources and dialects contain. They are for the OpenAPI document, and give the
 * code its types; nothing in the Worker validates an answer.
 */
import * as z from "zod";
import { isoTime } from "../../core/time.ts";

/** An id in the form of a MongoDB ObjectId. */
export const idOutput = z
  .string()
  .regex(/^[0-9a-fA-F]{24}$/)
  .meta({ examples: ["65f3a1b2c4d5e6f708192a3b"] });

/** A time in an answer: ISO 8601, UTC, with milliseconds. */
export const timeOutput = z.string().meta({ format: "date-time", examples: [isoTime(1_710_448_307_051)] });

export const objectOutput = z.record(z.string(), z.unknown());

const milliseconds = z.number().int();

/** Times of replies, in an answer. */
export const Distribution = z
  .object({
    min: milliseconds,
    p50: milliseconds,
    p90: milliseconds,
    p95: milliseconds,
    p99: milliseconds,
    max: milliseconds,
  })
  .meta({ id: "Distribution", description: "Milliseconds, by nearest rank, of the replies with status ok" });

export const Ticket = z.object({ ticket: z.string(), expiresAt: timeOutput }).meta({ id: "Ticket" });

/** Where a message for the chatbot's side comes from, if its own endpoint did not give it. */
export const AuthorOutput = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("human"), id: z.string(), name: z.string() }),
    z.object({
      kind: z.literal("adopted"),
      endpoint: z.string().optional().meta({ description: "Which gave the answer. Not for a client" }),
      sessionId: z.string().optional().meta({ description: "The comparison session. Not for a client" }),
    }),
  ])
  .meta({
    id: "Author",
    description: "A person who wrote in the chatbot's place, or a comparison whose answer was adopted",
  });
