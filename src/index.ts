import { app } from "./app.ts";
import { wakeQuietSessions } from "./live/wake-quiet-sessions.ts";

export { SessionObject } from "./live/session-object.ts";
export { ReplyCaller } from "./providers/reply-caller.ts";

export default {
  fetch: app.fetch,
  scheduled: (_, env) => wakeQuietSessions(env),
} satisfies ExportedHandler<Env>;
