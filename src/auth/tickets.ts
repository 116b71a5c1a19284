import { randomHex } from "../core/id.ts";
import type { Caller, Ticket } from "../core/caller.ts";
import type { EpochMs } from "../core/time.ts";
import { sha256Hex } from "../crypto/secrets.ts";

/** How long a ticket is valid, in milliseconds. */
const TICKET_LIFETIME_MS = 30_000;

/** Whether a text has the form of a ticket. Nobody guesses one: it has 256 random bits. */
export const isTicket = (text: string): boolean => /^ticket_[0-9a-f]{64}$/.test(text);

/** Creates a ticket for a caller and a session: the text for the caller, and the record to store. */
export async function newTicket(
  caller: Caller,
  sessionId: string,
  at: EpochMs,
): Promise<{ text: string; ticket: Ticket }> {
  const text = `ticket_${randomHex(32)}`;
  return { text, ticket: { hash: await sha256Hex(text), sessionId, caller, expiresAt: at + TICKET_LIFETIME_MS } };
}
