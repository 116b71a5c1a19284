/**
 * The records that a turn needs besides the log: chatbot, client, endpoints, template. From the isolate's memory, or else
 * from D1, with the copy in the object's log as a fallback.
 *
 * The queries and the memory do not belong here: those are in `store/turn-context.ts`. Effects: D1, the log's storage, a
 * timer.
 */
import { rootCause } from "../../core/failure.ts";
import type { Session } from "../../core/session.ts";
import { MINUTE_MS } from "../../core/time.ts";
import { waitAtMost } from "../../core/time-limit.ts";
import type { ReferencedRecords, TurnContext } from "../../store/turn-context.ts";
import type { SessionWorld } from "../session-world.ts";

/** How long to wait for D1 before using the copy in the log, in milliseconds. */
export const D1_TIMEOUT_MS = 3_000;

/** The chatbot and the client of a chatbot session. */
export const referencedRecords = (context: TurnContext | null): ReferencedRecords => ({
  chatbot: context?.of === "chat" ? context.chat.chatbot : null,
  client: context?.of === "chat" ? context.chat.client : null,
});

/** The ids of the endpoints that have limits. */
export function limitedEndpointsOf(context: TurnContext | null): string[] {
  if (context === null) return [];
  const endpoints =
    context.of === "chat" ? [context.chat.endpoint, context.chat.summaryEndpoint] : context.comparison.endpoints;
  const limited = endpoints.filter((endpoint) => endpoint && endpoint.maxCallsPerSecond + endpoint.maxConcurrency > 0);
  return [...new Set(limited.flatMap((endpoint) => endpoint?.id ?? []))];
}

/** After what time without a word of a person the bot takes over again, in milliseconds; `null` for never. */
export function takeoverTimeoutOf(context: TurnContext): number | null {
  const minutes = referencedRecords(context).chatbot?.takeoverTimeoutMinutes ?? null;
  return minutes === null ? null : minutes * MINUTE_MS;
}

/**
 * The records as they were within the last two seconds. If they are not in memory, and D1 is slow or down, the copy in
 * the log, so that turns continue.
 */
export async function currentContext(world: SessionWorld, session: Session): Promise<TurnContext> {
  const { log, records, keepAlive } = world;
  const copy = log.cachedContext;
  const cached = records.cachedTurnContext(session, referencedRecords(copy).client);
  if (cached) {
    log.cacheContext(cached.context);
    if (cached.isRefreshDue) keepAlive(readContext(world, session).catch(() => undefined));
    return cached.context;
  }
  const read = readContext(world, session);
  return copy ? waitAtMost(D1_TIMEOUT_MS, read).catch(() => copy) : read;
}

async function readContext({ log, records }: SessionWorld, session: Session): Promise<TurnContext> {
  try {
    const context = await records.readTurnContext(session);
    if (log.state) log.cacheContext(context);
    return context;
  } catch (error) {
    console.error({ event: "turn-context-not-read", sessionId: session.id, error: rootCause(error) });
    throw error;
  }
}
