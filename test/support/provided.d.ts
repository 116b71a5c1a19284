import "vitest";
import type { SigningKey } from "./identity-provider.node.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where providers are played from recorded answers: `/<provider>/<fixture or fault>`. */
    upstream: string;
    /** Where an independent double plays them. */
    aimock: string;
    /** How many hostile bodies are tried on each route. */
    hostileRuns: number;
    /** Where an identity provider is played: `/<scene>/keys` is its key set. */
    identityProvider: string;
    signingKeys: Record<"rsa" | "ec" | "fresh" | "pss", SigningKey>;
  }
}
