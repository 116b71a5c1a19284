import "vitest";
import type { SigningKey } from "./identity-provider.node.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Address of the server that plays providers from recorded answers: `/<provider>/<scene>`. */
    upstream: string;
    /** Address of aimock, an independent server that plays providers. */
    aimock: string;
    /** Hostile bodies per route. */
    hostileRuns: number;
    countedSessions: number;
    /** Where tests reach the browser. Empty if none started. */
    browser: string;
    /** Address of the identity provider: `/<scene>/keys` is its key set. */
    identityProvider: string;
    signingKeys: Record<"rsa" | "ec" | "fresh" | "pss", SigningKey>;
  }
}
