/**
 * The Worker: its handlers for HTTP and for cron, and the Durable Objects and entry points that `wrangler.toml` names.
 * It joins the session's object to the dialects, which neither knows. What a route or a job does does not belong here.
 */
import { app, dialects } from "./app.ts";
import type { Session } from "./core/session.ts";
import { now } from "./core/time.ts";
import type { TurnSeriesReport } from "./core/turn.ts";
import { closeRevokedSubscriptions } from "./live/close-revoked-subscriptions.ts";
import { SessionObject as LiveSessionObject } from "./live/session-object.ts";
import { archiveSessions } from "./jobs/archive-sessions.ts";
import { wakeIdleSessions } from "./jobs/wake-idle-sessions.ts";
import { sessionPresenter, turnReporter } from "./routes/http/dialect.ts";
import { deleteKeysExpiredBefore } from "./store/api-keys.ts";
import { database } from "./store/database.ts";
import { deleteExpiredResponses } from "./store/idempotency-keys.ts";
import { refoldTexts } from "./store/refold.ts";
import { deleteExpiredTickets } from "./store/tickets.ts";

export { EndpointObject } from "./providers/limits/endpoint-object.ts";
export { RunObject } from "./runs/run-object.ts";
export { ReplyCaller } from "./providers/call/reply-caller.ts";

/** How long an expired key is still listed, in milliseconds: 30 days. */
const EXPIRED_KEYS_KEPT_MS = 30 * 86_400_000;

const presentSession = sessionPresenter(dialects);
const reportTurns = turnReporter(dialects);

/** The object of a session. It shows the session to subscribers in the dialect in which the session was created. */
export class SessionObject extends LiveSessionObject {
  protected override readonly present = (session: Session): Record<string, unknown> =>
    presentSession(session, this.env.TIME_ZONE);

  protected override readonly reportTurns = (session: Session): TurnSeriesReport => reportTurns(session, this.env);
}

export default {
  fetch: app.fetch,
  async scheduled(_, env) {
    const db = database(env.DB);
    await Promise.all([
      deleteExpiredTickets(db, now()),
      deleteExpiredResponses(db, now()),
      deleteKeysExpiredBefore(db, now() - EXPIRED_KEYS_KEPT_MS),
    ]);
    await Promise.all([wakeIdleSessions(env), closeRevokedSubscriptions(env, db, null)]);
    await archiveSessions(env);
    const refolded = await refoldTexts(db);
    if (Object.values(refolded).some((count) => count > 0)) console.info({ event: "texts-refolded", ...refolded });
  },
} satisfies ExportedHandler<Env>;
