/**
 * Four projects: `unit` in plain Node, `worker` in the Workers runtime with real D1 and real objects, `node` against started
 * servers, `browser` in pages of a browser against started servers. All have the servers that play providers.
 */
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import { writeAssets } from "../src/dev/assets.ts";

// The Worker under test serves them, as `[build]` of wrangler.toml makes them.
await writeAssets();

const root = new URL("..", import.meta.url).pathname;

export default defineConfig({
  root,
  test: {
    globalSetup: ["test/support/upstreams.node.ts", "test/support/identity-provider.node.ts"],
    projects: [
      {
        extends: true,
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: `${root}wrangler.toml` },
            miniflare: {
              // Databases for the test of lists over several.
              d1Databases: { SHARD_0: "shard-0", SHARD_1: "shard-1", SHARD_2: "shard-2", SHARD_3: "shard-3" },
              ratelimits: { THREE_A_MINUTE: { namespace_id: "3", simple: { limit: 3, period: 60 } } },
              r2Buckets: ["ARCHIVE"],
              bindings: {
                ADMIN_KEY: "test-admin-key-0123456789abcdef01",
                ENCRYPTION_KEY: "dGhlIGtleSB0aGF0IHRoZSB0ZXN0cyBzZWFsIHdpdGg=",
                ALLOW_PRIVATE_ENDPOINTS: "1",
                ALLOWED_ORIGINS: "https://app.example, https://other.example",
                // The tests are no local start, also for whoever has a .dev.vars.
                LOCAL: "",
                ALLOWED_HOSTS: "parley.test",
                RATE_LIMITS: "off",
                LOG_SAMPLING: "0",
                // On a busy machine D1 is slow, and tests read lists right after an append.
                REPLICATION_WAIT_MS: "2000",
                PROVIDER_TEST: "secret-from-the-environment",
                MIGRATIONS: await readD1Migrations(`${root}migrations`),
              },
            },
          })),
        ],
        test: {
          name: "worker",
          // On a busy machine tests are slow, but they should not fail.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          include: ["test/worker/**/*.test.ts"],
          setupFiles: ["test/support/migrate.ts", "test/support/query-plans.ts"],
          provide: {
            hostileRuns: Number(process.env["HOSTILE"] ?? 25),
            countedSessions: Number(process.env["COUNTED_SESSIONS"] ?? 200),
          },
        },
      },
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 60_000 } },
      {
        extends: true,
        test: { name: "node", include: ["test/node/**/*.test.ts"], testTimeout: 240_000, hookTimeout: 240_000 },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          globalSetup: ["test/support/browser.node.ts"],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          // A page changes later than the click that changes it.
          expect: { poll: { timeout: 30_000 } },
        },
      },
    ],
  },
});
