/** Examples for the OpenAPI document of variants: the story of `examples.ts` goes on. A test holds each against its schema. */
import type { EventStream } from "../../openapi/operations.ts";
import { chatResponse, greeting, later, question, session, turnEvents, turnId } from "./examples.ts";

const {
  "turn-started": started,
  "message-appended, the reply": repliedEvent,
  "turn-ended": ended,
  ...reply
} = turnEvents;
const { "message-appended": prompted, "reply-end": replyEnded, ...running } = reply;
/** Seq 4 is another reply to the prompt 2. */
const variantEvents = {
  "message-appended, the reply": { ...repliedEvent, seq: 4 },
  "path-changed": { type: "path-changed", seqs: [1, 2, 4], turnId },
} as const satisfies EventStream["examples"];

export const regenerateBody = { expectedSeq: 3 };
export const regenerateResponse = chatResponse;
export const regenerateStream: EventStream = {
  curl: `curl -N "$PARLEY/sessions/<id>/messages/3/regenerate" -H "authorization: Bearer $KEY" -H 'content-type: application/json' -H 'accept: text/event-stream' -d '${JSON.stringify(regenerateBody)}'`,
  examples: { "turn-started": started, ...running, ...variantEvents, "reply-end": replyEnded, "turn-ended": ended },
};

export const editBody = { content: "Where is my parcel?" };
export const editStream: EventStream = {
  curl: `curl -N "$PARLEY/sessions/<id>/messages/2/edit" -H "authorization: Bearer $KEY" -H 'content-type: application/json' -H 'accept: text/event-stream' -d '${JSON.stringify(editBody)}'`,
  examples: {
    "turn-started": started,
    "message-appended": { ...prompted, seq: 4, parentSeq: 1, content: editBody.content },
    "path-changed": { type: "path-changed", seqs: [1, 4], turnId },
    ...running,
    "message-appended, the reply": { ...repliedEvent, seq: 5, parentSeq: 4 },
    "reply-end": replyEnded,
    "turn-ended": ended,
  },
};

export const activePathResponse = { success: true, data: { seqs: [1, 2, 3] } };

export const branchBody = { seq: 2, title: "Order 1042, another try" };
export const branchResponse = {
  success: true,
  message: "Session branched successfully",
  data: {
    ...session,
    id: "65f3a1b2c4d5e6f708192a40",
    title: branchBody.title,
    messages: [greeting, question],
    metadata: { branchedFrom: { sessionId: session.id, seq: branchBody.seq } },
    createdAt: later,
    updatedAt: later,
  },
};

export const editResponse = chatResponse;
