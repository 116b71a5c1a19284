import { Hono } from "hono";
import type { Message } from "../../../core/message.ts";
import { sessionStub } from "../../../live/session-client.ts";
import { requireRole } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { measure, applyPreference } from "../../http/context.ts";
import { mutationSchema, mutationBody } from "../envelope.ts";
import { openEventStream, respondWithTurn, wantsEvents } from "../../http/subscribe.ts";
import { markReplayed, idempotencyKeyOf } from "../../http/idempotency.ts";
import { describe } from "../../openapi/describe.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { body, query } from "../../http/validate.ts";
import { wholeLog } from "../../http/whole-session.ts";
import * as examples from "./examples.ts";
import { requireUserRole, requireOwnSession } from "./ownership.ts";
import { presentMessage, presentSession } from "./present.ts";
import * as schemas from "./schemas.ts";

export const notActive = { reason: "session-not-active" } as const;

/** `/sessions/message` and `/sessions/chat`: what is said in a session. */
export const talking = new Hono<AppEnv>({ strict: false })
  .post(
    "/message",
    describe({
      id: "addMessage",
      headers: ["idempotency-key", "prefer"],
      tag: "Sessions",
      summary: "Add a message",
      answer: {
        status: 200,
        description: "Message added",
        schema: mutationSchema(schemas.Session),
        example: examples.messageAdded,
      },
      problems: [404, 409],
      example: examples.message,
    }),
    query(schemas.SessionQuery),
    body(schemas.AddMessage),
    requireRole("admin", "service", "client"),
    requireUserRole,
    requireOwnSession(notActive),
    async (c) => {
      const { message } = c.req.valid("json");
      const { role, content, timestamp = null } = message;
      const object = sessionStub(c.env, c.req.valid("query").sessionId);
      const appended = await measure(
        c,
        "session",
        object.append({ role, content, createdAt: timestamp }, applyPreference(c), idempotencyKeyOf(c)),
      );
      if (!appended.ok) return respondWithProblem(c, appended.failure);
      markReplayed(c, appended.value.replayed);
      const messages = await wholeLog(c, appended.value);
      return c.json(mutationBody(presentSession(appended.value.session, messages), "Message added successfully"));
    },
  )
  .post(
    "/chat",
    describe({
      id: "chat",
      headers: ["idempotency-key"],
      tag: "Sessions",
      summary: "Send a message to the chatbot and get its reply",
      answer: {
        status: 200,
        description: "The reply, or the turn's events as they come",
        schema: mutationSchema(schemas.Message),
        events: true,
        example: examples.replied,
      },
      problems: [404, 409, 429, 502, 503, 504],
      example: examples.chat,
    }),
    query(schemas.SessionQuery),
    body(schemas.Chat),
    requireRole("admin", "service", "client"),
    requireOwnSession(notActive),
    async (c) => {
      const object = sessionStub(c.env, c.req.valid("query").sessionId);
      const { content } = c.req.valid("json");
      if (wantsEvents(c)) {
        const followed = await openEventStream(c, object, (readerId) =>
          object.promptAndFollow(content, idempotencyKeyOf(c), readerId),
        );
        return followed.ok ? respondWithTurn(c, followed.value) : respondWithProblem(c, followed.failure);
      }
      const taken = await measure(c, "session", object.prompt(content, "added", idempotencyKeyOf(c)));
      if (!taken.ok) return respondWithProblem(c, taken.failure);
      const reply = taken.value.messages.at(-1);
      const error = reply?.reply?.error ?? null;
      if (error !== null && error.code !== "cancelled") {
        return respondWithProblem(c, {
          reason: "reply-failed",
          ...error,
          retryAfterSeconds: taken.value.retryAfterSeconds,
        });
      }
      markReplayed(c, taken.value.replayed);
      return c.json(mutationBody(presentMessage(reply as Message), "Message processed successfully"));
    },
  );
