import { SECRET_MASK } from "../../core/endpoint.ts";
import type { ReplyEnd, ReplyFailure } from "../../core/reply.ts";

/** The shortest secret that is looked for: a shorter one may be a part of any word. */
const SHORTEST_SECRET = 8;

/** A text without a secret: as it is, and as it is written in JSON and in an address. A dummy such as `ollama` is no secret. */
export function maskSecret(text: string, secret: string): string {
  if (secret.length < SHORTEST_SECRET) return text;
  const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed())];
  return forms.reduce((rest, form) => rest.replaceAll(form, SECRET_MASK), text);
}

/** The longest message of a failure, in characters. */
const MAX_MESSAGE = 1_000;

/** A failure in a provider's own words may repeat what it was sent, and be long. Masked before it is cut: half a secret is one too. */
export function withoutSecret<E extends ReplyEnd | ReplyFailure>(final: E, secret: string): E {
  if (final.type !== "failed") return final;
  return { ...final, message: maskSecret(final.message, secret).slice(0, MAX_MESSAGE) };
}
