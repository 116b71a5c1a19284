/**
 * A local start: `npm start` or `wrangler dev`, which set the variable `LOCAL`, and secrets that everybody knows. A
 * deployment has neither. What else a local start sets is in `dev/`. Pure.
 */

/** Secrets of a local start. They are public, so they protect nothing. */
export const LOCAL_SECRETS = {
  ADMIN_KEY: "parley-dev",
  // 32 bytes in base64.
  ENCRYPTION_KEY: "cGFybGV5IHNlYWxzIGxvY2FsIHRva2VucyBvbmx5ISE=",
} as const;

export const isLocalStart = ({ LOCAL }: { LOCAL?: string }): boolean => LOCAL === "true";
