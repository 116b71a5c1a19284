/** Masks the token of an endpoint for an answer: here alone, for both of Moonshot's APIs. No effects. */
import { SECRET_MASK, secretNameOf } from "../../../core/endpoint.ts";

/** The name of a secret is no secret. */
export function maskToken(token: string): string {
  if (token === "") return "";
  return secretNameOf(token) === null ? SECRET_MASK : token;
}
