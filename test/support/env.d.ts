import type { D1Migration } from "cloudflare:test";

declare global {
  namespace Cloudflare {
    interface Env {
      MIGRATIONS: D1Migration[];
      THREE_A_MINUTE: RateLimit;
      ARCHIVE: R2Bucket;
      SHARD_0: D1Database;
      SHARD_1: D1Database;
      SHARD_2: D1Database;
      SHARD_3: D1Database;
    }
  }
}
