import { now } from "../core/time.ts";
import { database } from "../store/database.ts";
import { idleSessions } from "../store/sessions.ts";
import { sessionStub } from "../live/session-client.ts";

/** How long the index database must not have heard of a session, and how often the cron comes: in milliseconds. */
const IDLE_MS = 600_000;

/** Objects woken in one pass. One invocation may make 1,000 calls; what is left over is quiet again next time. */
const MAX_SESSIONS_PER_RUN = 500;

/**
 * Asks open sessions that have gone quiet since the last pass to catch up, in case an alarm of theirs was lost. Each is
 * asked once after it went quiet: half a pass longer than a pass is looked back, so that none falls between two.
 */
export async function wakeIdleSessions(env: Env): Promise<void> {
  const until = now() - IDLE_MS;
  const idle = await idleSessions(database(env.DB), until - 1.5 * IDLE_MS, until, MAX_SESSIONS_PER_RUN);
  await Promise.allSettled(
    idle.map(({ id, status }) => {
      const object = sessionStub(env, id);
      return status === "SCHEDULED" ? object.schedule() : object.catchUp();
    }),
  );
}
