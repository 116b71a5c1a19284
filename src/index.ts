import { app, dialects } from "./app.ts";
import type { Session } from "./core/session.ts";
import { now } from "./core/time.ts";
import { closeRevokedSubscriptions } from "./live/close-revoked-subscriptions.ts";
import { SessionObject as LiveSessionObject } from "./live/session-object.ts";
import { wakeIdleSessions } from "./jobs/wake-idle-sessions.ts";
import { presenterOf } from "./routes/http/dialect.ts";
import { database } from "./store/database.ts";
import { deleteExpiredResponses } from "./store/idempotency-keys.ts";
import { refoldTexts } from "./store/refold.ts";
import { deleteExpiredTickets } from "./store/tickets.ts";

export { EndpointObject } from "./providers/limits/endpoint-object.ts";
export { ReplyCaller } from "./providers/call/reply-caller.ts";

const presentSession = presenterOf(dialects);

/** The session's object, speaking to those who follow it in the dialect of its session. */
export class SessionObject extends LiveSessionObject {
  protected override readonly present = (session: Session): Record<string, unknown> =>
    presentSession(session, this.env.TIME_ZONE);
}

export default {
  fetch: app.fetch,
  async scheduled(_, env) {
    const db = database(env.DB);
    await Promise.all([deleteExpiredTickets(db, now()), deleteExpiredResponses(db, now())]);
    await Promise.all([wakeIdleSessions(env), closeRevokedSubscriptions(env, db, null)]);
    const refolded = await refoldTexts(db);
    if (Object.values(refolded).some((count) => count > 0)) console.info({ event: "texts-refolded", ...refolded });
  },
} satisfies ExportedHandler<Env>;
