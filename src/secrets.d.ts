// What `wrangler types` cannot know: secrets, and variables that are set for local runs only.
interface Env {
  /** The bootstrap admin's token. */
  ADMIN_KEY?: string;
  /** Seals the tokens of endpoints: 32 bytes in base64. */
  ENCRYPTION_KEY?: string;
  /** Keys of before, separated by commas: they open what they sealed. */
  ENCRYPTION_KEY_PREVIOUS?: string;
  /** `true` for local runs: they may have an admin key that everybody knows. */
  LOCAL?: string;
  /** Set for local runs: lets endpoints have http and private addresses. */
  ALLOW_PRIVATE_ENDPOINTS?: string;
  /** Origins whose pages may open sockets, separated by commas. */
  ALLOWED_ORIGINS?: string;
  /** Where the identity provider's keys lie, and what its tokens must say: all three, or none. */
  JWT_JWKS_URL?: string;
  JWT_ISSUER?: string;
  JWT_AUDIENCE?: string;
  /** Names besides loopback that a local run may be called by, separated by commas; `*` for any. */
  ALLOWED_HOSTS?: string;
  /** Set by `npm start`: what its proxy sends with each call, so that none comes past it. */
  LOCAL_PROXY_SECRET?: string;
  /** `off` for local runs. */
  RATE_LIMITS?: string;
  /** `off` writes the messages of each session in a transaction of their own. */
  GROUP_COMMIT?: string;
  /** The longest that an answer waits until D1 has its change, in milliseconds. */
  REPLICATION_WAIT_MS?: string;
  /** How many days an active session must be idle to be archived. */
  ARCHIVE_AFTER_DAYS?: string;
  /** Where Moonshot's web UI takes the records of an attack. */
  MOONSHOT_CALLBACK_URL?: string;
  /** `service` lets in callers without a token. */
  ANONYMOUS_ROLE?: string;
}
