import { now } from "../core/time.ts";
import { database } from "../store/database.ts";
import { quietSessions } from "../store/sessions.ts";
import { sessionStub } from "../live/session-client.ts";

/** How long the index database must not have heard of a session, and how often the cron comes: in milliseconds. */
const QUIET_MS = 600_000;

/** Objects woken in one pass. One invocation may make 1,000 calls; what is left over is quiet again next time. */
const AT_ONCE = 500;

/**
 * Asks open sessions that have gone quiet since the last pass to catch up, in case an alarm of theirs was lost. Each is
 * asked once after it went quiet: half a pass longer than a pass is looked back, so that none falls between two.
 */
export async function wakeQuietSessions(env: Env): Promise<void> {
  const until = now() - QUIET_MS;
  const quiet = await quietSessions(database(env.DB), until - 1.5 * QUIET_MS, until, AT_ONCE);
  await Promise.allSettled(
    quiet.map(({ id, status }) => {
      const object = sessionStub(env, id);
      return status === "SCHEDULED" ? object.schedule() : object.catchUp();
    }),
  );
}
