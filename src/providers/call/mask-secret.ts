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

/**
 * Masks the secret in a failure's message and shortens the message: a provider's message can repeat the request. Masks
 * first, because a part of a secret is a secret too.
 */
export function maskFailure<E extends ReplyEnd | ReplyFailure>(final: E, secret: string): E {
  if (final.type !== "failed") return final;
  return { ...final, message: maskSecret(final.message, secret).slice(0, MAX_MESSAGE_CHARACTERS) };
}
