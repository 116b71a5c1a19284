// What `wrangler types` cannot know: secrets, and variables that are set for local runs only.
interface Env {
  /** The bootstrap admin's token. */
  ADMIN_KEY?: string;
  /** Set for local runs: lets endpoints have http and private addresses. */
  ALLOW_PRIVATE_ENDPOINTS?: string;
  /** Origins whose pages may open sockets, separated by commas. */
  ALLOWED_ORIGINS?: string;
}
