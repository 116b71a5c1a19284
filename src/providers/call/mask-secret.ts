import type { ReplyEnd, ReplyFailed } from "../../core/reply.ts";

/** What stands where a secret was. */
const MASK = "********";

/** The shortest secret that is looked for: a shorter one may be a part of any word. */
const SHORTEST_SECRET = 8;

/** A text without a secret: as it is, and as it is written in JSON and in an address. A dummy such as `ollama` is no secret. */
export function maskSecret(text: string, secret: string): string {
  if (secret.length < SHORTEST_SECRET) return text;
  const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed())];
  return forms.reduce((rest, form) => rest.replaceAll(form, MASK), text);
}

/** The longest message of a failure, in characters. */
const MAX_MESSAGE = 1_000;

/** A failure in a provider's own words may repeat what it was sent, and be long. Masked before it is cut: half a secret is one too. */
export function withoutSecret<E extends ReplyEnd | ReplyFailed>(last: E, secret: string): E {
  if (last.type !== "failed") return last;
  return { ...last, message: maskSecret(last.message, secret).slice(0, MAX_MESSAGE) };
}
