/**
 * Receipts: the exact request of a reply, with secrets masked. Prices are added in `turn/fan-out.ts`, and storing a
 * receipt belongs to the session. Pure.
 */
import type { Attempt, Receipt } from "../../core/message.ts";
import type { ReplyRequest } from "../../core/reply.ts";
import { sha256Hex } from "../../crypto/secrets.ts";
import type { Call } from "./provider.ts";
import { maskSecret } from "./mask-secret.ts";

/** The longest body that a receipt stores, in UTF-16 code units. */
const MAX_BODY_CHARACTERS = 262_144;

/** The receipt of a reply: the exact request, without the endpoint's token in any field. */
export async function receiptOf(
  call: Call,
  request: ReplyRequest,
  attempts: Attempt[],
  notes: string[],
): Promise<Receipt> {
  const mask = (text: string | null) => (text === null ? null : maskSecret(text, request.token));
  return {
    connectorType: request.connectorType,
    url: mask(call.url),
    modelAsked: maskSecret(call.model, request.token),
    params: maskSecret(request.params, request.token),
    body: call.body !== null && call.body.length > MAX_BODY_CHARACTERS ? null : mask(call.body),
    bodySha256: call.body === null ? null : await sha256Hex(call.body),
    attempts,
    notes: notes.map((note) => maskSecret(note, request.token)),
    prices: null,
  };
}
