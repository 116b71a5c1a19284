import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** Where providers are played from recorded answers: `/<provider>/<fixture or fault>`. */
    upstream: string;
    /** Where an independent double plays them. */
    aimock: string;
  }
}
