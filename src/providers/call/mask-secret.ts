/**
 * Removes secrets from texts that come from a provider or go into a receipt. Pure.
 */
import { SECRET_MASK } from "../../core/endpoint.ts";
import type { ReplyEnd, ReplyFailure } from "../../core/reply.ts";

/** Shorter secrets are not masked, because they can be part of any word. */
const MIN_SECRET_LENGTH = 8;

/** Masks a secret as it is, in JSON and in a URL. A placeholder such as `ollama` is too short to be a secret. */
export function maskSecret(text: string, secret: string): string {
  if (secret.length < MIN_SECRET_LENGTH) return text;
  const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed())];
  return forms.reduce((rest, form) => rest.replaceAll(form, SECRET_MASK), text);
}

/** The longest message of a failure, in characters. */
const MAX_MESSAGE_CHARACTERS = 1_000;

/** The longest note and the longest name that a provider gives, in characters. */
const MAX_NOTE_CHARACTERS = 300;
const MAX_NAME_CHARACTERS = 200;

/**
 * Masks the secret in all texts of a reply's end that come from the provider, and shortens them: a provider can repeat the
 * request anywhere. Masks first, because a part of a secret is a secret too.
 */
export function maskFinal<E extends ReplyEnd | ReplyFailure>(final: E, secret: string): E {
  const mask = (text: string, max: number) => maskSecret(text, secret).slice(0, max).toWellFormed();
  const name = (text: string | null) => text && mask(text, MAX_NAME_CHARACTERS);
  const masked = { ...final, providerRequestId: name(final.providerRequestId) };
  if (masked.finishReasonRaw !== undefined) masked.finishReasonRaw = mask(masked.finishReasonRaw, MAX_NAME_CHARACTERS);
  if (masked.model) masked.model = mask(masked.model, MAX_NAME_CHARACTERS);
  if (masked.type === "failed") masked.message = mask(masked.message, MAX_MESSAGE_CHARACTERS);
  else {
    if (masked.notes) masked.notes = masked.notes.map((note) => mask(note, MAX_NOTE_CHARACTERS));
  }
  return masked;
}
