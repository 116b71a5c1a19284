/**
 * How the Worker calls the object of a session. This file alone turns a session's id into a stub. It also exports the
 * types that these calls take and return, so that callers need no other file of `live`.
 *
 * Reading a session from its object or from D1 does not belong here: that is `read-session.ts`. Effects: RPC.
 */
import { retryOnce } from "../core/transient-error.ts";
import type { IdempotencyKey } from "./log/idempotency.ts";
import { takePassed } from "./passed-messages.ts";
import type { SessionObject } from "./session-object.ts";
import type { ColumnsParams, RetryParams } from "./session-results.ts";
import { upgradeRequest } from "./streaming/subscription.ts";
import type { Subscription } from "./streaming/subscription.ts";

export type { IdempotencyKey } from "./log/idempotency.ts";
export type {
  ConversationQuestion,
  History,
  MessageQuestion,
  PromptResult,
  Question,
  ReplayRange,
  SessionResult,
  TurnStream,
} from "./session-results.ts";

/**
 * The calls to a session's object, and when one can be made twice: always, never, under an idempotency key, or if the
 * second says that it is one, because it may find nothing left to do. An outcome is a plain value, so RPC can copy it.
 */
const METHODS = {
  read: "always",
  page: "always",
  append: "with-key",
  prompt: "with-key",
  promptAndFollow: "with-key",
  startSeries: "with-key",
  vary: "with-key",
  varyAndFollow: "with-key",
  // A second call joins the replay, or finds the answer that was adopted.
  replayConversation: "always",
  replayAndFollow: "always",
  adopt: "always",
  activate: "always",
  hideTurn: "always",
  follow: "always",
  unfollow: "always",
  turn: "always",
  // A second stop could stop another turn.
  stop: "never",
  cancel: "never",
  amend: "always",
  end: "as-retry",
  requestHuman: "always",
  takeOver: "always",
  handBack: "always",
  remove: "as-retry",
  schedule: "always",
  catchUp: "always",
  archive: "always",
  dismiss: "always",
} as const;
type Method = keyof typeof METHODS;

/** The calls whose answers have messages of the log. */
const WITH_MESSAGES: ReadonlySet<Method> = new Set<Method>([
  "read",
  "page",
  "append",
  "prompt",
  "vary",
  "replayConversation",
  "amend",
  "end",
]);

export type SessionStub = Pick<SessionObject, Method>;

/** What the object's methods have in common, for calling any of them. */
type Call = (params?: CallParams) => Promise<unknown>;
interface CallParams extends ColumnsParams, RetryParams {
  key?: IdempotencyKey | null;
}

/** What the object's methods have in common, by name. */
type AnyStub = Record<Method, Call>;

/** A stub that makes a call that can be made twice once more when the object was reset. */
class RepeatingStub {
  readonly #newStub: () => AnyStub;
  #stub: AnyStub;

  constructor(newStub: () => AnyStub) {
    this.#newStub = newStub;
    this.#stub = newStub();
  }

  call(method: Method, params: Parameters<Call>[0]): Promise<unknown> {
    const rule = METHODS[method];
    if (rule === "never" || (rule === "with-key" && !params?.key)) return this.#stub[method](params);
    return retryOnce((isSecond) => {
      // After that error only a new stub reaches the object.
      if (isSecond) this.#stub = this.#newStub();
      return this.#stub[method](isSecond && rule === "as-retry" ? { ...params, isRetry: true } : params);
    });
  }
}

// On the prototype, once: a stub is made for every call.
for (const method of Object.keys(METHODS) as Method[])
  Object.defineProperty(RepeatingStub.prototype, method, {
    value(this: RepeatingStub, params: Parameters<Call>[0]) {
      return WITH_MESSAGES.has(method)
        ? this.call(method, { ...params, inColumns: true }).then(takePassed)
        : this.call(method, params);
    },
  });

/** The object of a session. Its name is the session's id. Calls arrive in order. */
export const sessionStub = (env: Env, sessionId: string): SessionStub =>
  new RepeatingStub(() => env.SESSIONS.getByName(sessionId) as unknown as AnyStub) as unknown as SessionStub;

/** Opens a socket to a session for an authenticated caller. @returns 101 with the socket, 404, or 429 */
export const openSocket = (env: Env, sessionId: string, subscription: Subscription): Promise<Response> =>
  env.SESSIONS.getByName(sessionId).fetch("https://session/ws", upgradeRequest(subscription));
