/**
 * Reads the token of a request: decrypts it, or finds the secret of the Worker that it names. Encryption is in
 * `crypto/sealed-tokens.ts`. Reads the Worker's secrets.
 */
import { splitCommaList } from "../../core/comma-list.ts";
import { secretNameOf } from "../../core/endpoint.ts";
import type { ReplyFailure, ReplyRequest } from "../../core/reply.ts";
import { replyFailure } from "../../core/reply.ts";
import { unseal } from "../../crypto/sealed-tokens.ts";
import type { EncryptionSecrets } from "../../crypto/sealed-tokens.ts";
import { originOf } from "../registry.ts";

const NOT_OPENED =
  "The endpoint's token cannot be decrypted: set ENCRYPTION_KEY to the key that encrypted it, or set the token again.";

/** The variable that limits where a secret is sent, for `PROVIDER_NAME`: `PROVIDER_NAME_ORIGIN`. */
const ORIGIN_SUFFIX = "_ORIGIN";

/** @returns the token in plain text, `""` for none; or why the call cannot be made */
export async function readToken(request: ReplyRequest, env: EncryptionSecrets): Promise<string | ReplyFailure> {
  const { token, endpointId, connectorType } = request;
  const name = secretNameOf(token);
  if (name !== null) return readSecret(name, originOf(request), env);
  if (token === "") return "";
  const opened = await unseal(token, { endpointId, connectorType, origin: originOf(request) ?? "" }, env);
  return opened ?? replyFailure("provider_auth", NOT_OPENED);
}

/**
 * A reference to a secret is not sealed, so whoever writes to the database can place one at any address. The variable
 * with the secret's origins is out of their reach.
 */
function readSecret(name: string, origin: string | null, env: object): string | ReplyFailure {
  const secret: unknown = Reflect.get(env, name);
  if (typeof secret !== "string" || secret === "")
    return replyFailure("provider_auth", `The secret that the endpoint refers to (env:${name}) is not set.`);
  const allowed: unknown = Reflect.get(env, `${name}${ORIGIN_SUFFIX}`);
  if (typeof allowed !== "string" || allowed.trim() === "" || isListed(origin, allowed)) return secret;
  return replyFailure(
    "refused_by_guard",
    `The secret env:${name} is not sent to ${origin || "this endpoint"}: ${name}${ORIGIN_SUFFIX} does not list its origin.`,
  );
}

/** @param allowed addresses, separated by commas */
const isListed = (origin: string | null, allowed: string): boolean =>
  splitCommaList(allowed).some((address) => URL.canParse(address) && new URL(address).origin === origin);
