/**
 * Examples for the OpenAPI document of `/sessions`: bodies, and answers to them. They show one story, a customer who
 * asks for an order. A test holds each example against its schema.
 */
import type { EventStream, SocketFrames } from "../../openapi/operations.ts";

const chatbotId = "65f3a1b2c4d5e6f708192a3b";
const clientId = "65f3a1b2c4d5e6f708192a3c";
const at = "2024-03-14T20:31:47.051Z";
export const later = "2024-03-14T20:32:02.114Z";

export const greeting = { role: "assistant", content: "Hello, how can I help?", timestamp: at };
export const question = { role: "user", content: "Where is my order?", timestamp: later };

export const session = {
  id: "65f3a1b2c4d5e6f708192a3d",
  chatbotId,
  clientId,
  title: "Order 1042",
  startTime: at,
  status: "ACTIVE",
  handler: "bot",
  messages: [greeting],
  createdAt: at,
  updatedAt: at,
};

const populated = {
  ...session,
  chatbotId: {
    id: chatbotId,
    name: "Shop assistant",
    endpointId: "eliza",
    historyLimit: 50,
    createdAt: at,
    updatedAt: at,
  },
  clientId: { id: clientId, name: "Ada", createdAt: at, updatedAt: at },
};

export const createBody = { chatbotId, clientId, title: "Order 1042" };
export const createResponse = { success: true, message: "Session created successfully", data: session };

export const updateBody = { title: "Order 1042, lost", feedback: { rating: 5, comment: "Quick help" } };
export const updateResponse = {
  success: true,
  message: "Session updated successfully",
  data: { ...session, ...updateBody, updatedAt: later },
};

export const getResponse = { success: true, data: populated };

export const endResponse = {
  success: true,
  message: "Session ended successfully",
  data: { ...session, status: "COMPLETED", endTime: later, updatedAt: later },
};

export const messageBody = { message: { role: "user", content: question.content } };
export const messageResponse = {
  success: true,
  message: "Message added successfully",
  data: { ...session, messages: [greeting, question], updatedAt: later },
};

export const chatBody = { content: question.content };
export const chatResponse = {
  success: true,
  message: "Message processed successfully",
  data: { role: "assistant", content: "Let me look that up.", timestamp: later },
};

export const requestHumanBody = { reason: "The order is lost" };
export const requestHumanResponse = {
  success: true,
  message: "Person requested successfully",
  data: { handler: "waiting", handover: { since: at, reason: requestHumanBody.reason } },
};

export const takeOverBody = { operator: { id: "grace", name: "Grace" } };
const taken = { since: later, reason: requestHumanBody.reason, operator: takeOverBody.operator };
export const takeOverResponse = {
  success: true,
  message: "Session taken over successfully",
  data: { handler: "human", handover: taken },
};

export const handBackBody = { note: "A new parcel is on its way" };
export const handBackResponse = {
  success: true,
  message: "Session handed back successfully",
  data: { handler: "bot", handover: { ...taken, note: handBackBody.note } },
};

export const storedResponse = {
  success: true,
  message: "Message stored: a person answers",
  data: { ...question, handler: "human" },
};

export const listResponse = {
  success: true,
  data: {
    results: [{ ...populated, messageCount: 1 }],
    paginatorInfo: { count: 1, currentPage: 1, hasMorePages: false, lastPage: 1, limit: 10, perPage: 10, total: 1 },
  },
};

const usage = { inputTokens: 9, outputTokens: 6 };

export const messagesResponse = {
  success: true,
  data: {
    messages: [
      { seq: 1, ...greeting },
      { seq: 2, ...question },
      {
        seq: 3,
        ...chatResponse.data,
        status: "ok",
        finishReason: "stop",
        model: "gpt-4o-mini-2024-07-18",
        usage,
        durationMs: 1040,
        ttftMs: 412,
      },
    ],
  },
};

export const exportTexts = {
  "application/jsonl": `${JSON.stringify({
    sessionId: session.id,
    turn: 1,
    promptTimestamp: later,
    prompt: question.content,
    seq: 3,
    active: true,
    timestamp: later,
    response: chatResponse.data.content,
    partialResponse: null,
    status: "ok",
    error: null,
    finishReason: "stop",
    usage,
    durationMs: 1040,
    ttftMs: 412,
    finishReasonRaw: "stop",
    endpointId: "gpt-4o-mini",
    model: "gpt-4o-mini-2024-07-18",
    queueMs: 0,
    attempts: 1,
    providerRequestId: "req_0123456789",
    cost: 0.00000495,
  })}\n`,
  "text/csv": [
    "sessionId,endpointId,turn,promptTimestamp,prompt,seq,active,timestamp,response,partialResponse,status,errorCode,errorMessage,finishReason,model,attempts,queueMs,durationMs,ttftMs,inputTokens,outputTokens,cost",
    `${session.id},gpt-4o-mini,1,${later},${question.content},3,true,${later},${chatResponse.data.content},,ok,,,stop,gpt-4o-mini-2024-07-18,1,0,1040,412,9,6,0.00000495`,
    "",
  ].join("\r\n"),
};

export const statisticsResponse = {
  success: true,
  data: {
    sessionId: session.id,
    count: 1,
    ok: 1,
    cancelled: 0,
    errors: {},
    finishReasons: { stop: 1 },
    usage,
    durationMs: { min: 1040, p50: 1040, p90: 1040, p95: 1040, p99: 1040, max: 1040 },
    ttftMs: { min: 412, p50: 412, p90: 412, p95: 412, p99: 412, max: 412 },
    attempts: 1,
    cost: 0.00000495,
    priced: 1,
  },
};

export const turnId = "65f3a1c2c4d5e6f708192a3e";
const inTurn = { turnId, chatId: session.id };

export const turnEvents = {
  "turn-started": { type: "turn-started", turnId, chatIds: [session.id] },
  "message-appended": {
    type: "message-appended",
    seq: 2,
    ...inTurn,
    parentSeq: 1,
    role: "user",
    content: question.content,
    timestamp: later,
  },
  "reply-start": { type: "reply-start", ...inTurn },
  "reply-delta": { type: "reply-delta", ...inTurn, offset: 0, text: "Let me look" },
  "message-appended, the reply": {
    type: "message-appended",
    seq: 3,
    ...inTurn,
    parentSeq: 2,
    ...chatResponse.data,
    role: "assistant",
    status: "ok",
    finishReason: "stop",
    usage: { inputTokens: 9, outputTokens: 6 },
    durationMs: 1040,
    ttftMs: 412,
  },
  "reply-end": { type: "reply-end", ...inTurn, status: "ok" },
  "turn-ended": { type: "turn-ended", turnId, status: "ok" },
} as const satisfies EventStream["examples"];

const { messages: _, ...sessionFields } = session;

const followedEvents = {
  "session-snapshot": { type: "session-snapshot", session: sessionFields, lastSeq: 1, turn: null },
  ...turnEvents,
  "path-changed": { type: "path-changed", seqs: [1, 2] },
  "session-updated": { type: "session-updated", session: { ...sessionFields, title: updateBody.title } },
} satisfies EventStream["examples"];

export const chatStream: EventStream = {
  curl: `curl -N "$PARLEY/sessions/chat?sessionId=<id>" -H "authorization: Bearer $KEY" -H 'content-type: application/json' -H 'accept: text/event-stream' -d '${JSON.stringify(chatBody)}'`,
  examples: turnEvents,
};

export const sessionStream: EventStream = {
  curl: `curl -N "$PARLEY/sessions/<id>/events?after=0" -H "authorization: Bearer $KEY" -H 'accept: text/event-stream'`,
  examples: {
    ...followedEvents,
    "stream-closed": { type: "stream-closed", code: 1000, reason: "session ended" },
  },
};

export const socketFrames: SocketFrames = {
  fromClient: [
    { type: "prompt-submit", id: "1", content: question.content },
    { type: "message-append", id: "2", role: "user", content: question.content },
    { type: "turn-cancel", id: "3" },
  ],
  fromServer: {
    ...followedEvents,
    ack: { type: "ack", id: "1", turnId },
    "ack, of a message": { type: "ack", id: "2", seq: 2 },
    failure: { type: "failure", id: "2", code: "session_not_active", message: "The session takes no messages now" },
  },
};
