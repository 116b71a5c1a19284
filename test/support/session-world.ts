/** A session's world in memory: a real log on SQLite, D1 as a few maps, and endpoints that say what a test wants. */
import { BOT_HANDLING } from "../../src/core/handover.ts";
import { DatabaseSync } from "node:sqlite";
import type { Chatbot } from "../../src/core/chatbot.ts";
import type { Endpoint as StoredEndpoint } from "../../src/core/endpoint.ts";
import type { Message } from "../../src/core/message.ts";
import type { ReplyEvent } from "../../src/core/reply.ts";
import { NOT_CALLED } from "../../src/core/reply.ts";
import type { Session } from "../../src/core/session.ts";
import { Log } from "../../src/live/log/log.ts";
import type { SessionWorld } from "../../src/live/session-world.ts";
import type { CloseReason, SessionEvent } from "../../src/live/streaming/events.ts";
import type { ProviderCall } from "../../src/turn/fan-out.ts";

/** As much of an object's storage as a log uses, on SQLite in memory. */
export function memoryStorage(): DurableObjectStorage {
  let database = new DatabaseSync(":memory:");
  const exec = (query: string, ...params: (string | number | null)[]) => {
    const rows = database.prepare(query).all(...params);
    return {
      toArray: () => rows,
      one: () => rows[0],
      raw: () => rows.map((row) => Object.values(row))[Symbol.iterator](),
      [Symbol.iterator]: () => rows[Symbol.iterator](),
    };
  };
  const deleteAll = async () => {
    database = new DatabaseSync(":memory:");
  };
  return { sql: { exec }, deleteAll } as unknown as DurableObjectStorage;
}

export const aChatSession = (fields: Partial<Session> = {}): Session => ({
  id: "65f3a1b2c4d5e6f708192a3b",
  kind: "chatbot",
  title: null,
  description: null,
  status: "ACTIVE",
  startTime: 0,
  endTime: null,
  dueAt: null,
  chatbotId: "bot",
  clientId: "client",
  chats: [{ chatId: "65f3a1b2c4d5e6f708192a3b", endpointId: null }],
  promptTemplate: null,
  contextStrategy: null,
  previousPrompts: null,
  systemPrompt: null,
  attackModule: null,
  bridge: null,
  metadata: null,
  feedback: null,
  createdAt: 0,
  updatedAt: 0,
  lastSeq: 0,
  metadataVersion: 0,
  messageCount: 0,
  archive: null,
  activePath: null,
  ...BOT_HANDLING,
  ...fields,
});

export const aChatbot: Chatbot = {
  id: "bot",
  name: "Bot",
  description: null,
  endpointId: "endpoint",
  systemPrompt: null,
  greeting: null,
  historyLimit: 50,
  context: null,
  params: null,
  takeoverTimeoutMinutes: null,
  createdAt: 0,
  updatedAt: 0,
  deletedAt: null,
};

export const anEndpoint: StoredEndpoint = {
  id: "endpoint",
  name: "Endpoint",
  connectorType: "openai-connector",
  uri: "https://api.example.com/v1",
  token: "",
  model: "m",
  params: "{}",
  pinned: null,
  prices: null,
  maxCallsPerSecond: 0,
  maxConcurrency: 0,
  createdAt: 0,
  updatedAt: 0,
};

/** What an endpoint does with a call: says something, or waits for the test. */
export type Endpoint = (call: ProviderCall) => ReplyEvent[] | Promise<ReplyEvent[]>;

export const says = (text: string): ReplyEvent[] => [
  { type: "text", text },
  { type: "end", finishReason: "stop", model: "m", usage: null, providerRequestId: null, metrics: NOT_CALLED },
];

export const fails = (message: string): ReplyEvent[] => [
  {
    type: "failed",
    code: "provider_error",
    message,
    retryAfterSeconds: null,
    providerRequestId: null,
    metrics: NOT_CALLED,
  },
];

export interface TestWorld extends SessionWorld {
  storage: DurableObjectStorage;
  events: SessionEvent[];
  closed: CloseReason[];
  /** The session as D1 has it; `null` once it is deleted. */
  stored: Session | null;
  now: number;
}

/** @param endpoint answers every call of the session's chats */
export function aWorld(session: Session | null, endpoint: Endpoint = () => says("Hello")): TestWorld {
  const storage = memoryStorage();
  const log = new Log(storage);
  const world: TestWorld = {
    storage,
    id: session?.id ?? "none",
    log,
    events: [],
    closed: [],
    stored: session,
    now: 1_000,
    clock: () => (world.now += 1),
    records: {
      findSession: async () => world.stored,
      readMessages: async (): Promise<Message[]> => [],
      readTurnContext: async () => ({
        of: "chat",
        chat: {
          chatbot: aChatbot,
          endpoint: anEndpoint,
          client: {
            id: "client",
            name: "Ada",
            email: null,
            externalId: null,
            metadata: null,
            createdAt: 0,
            updatedAt: 0,
            deletedAt: null,
          },
        },
      }),
      findEndpoint: async () => null,
      cachedTurnContext: () => null,
      cachedReferences: () => null,
      writeSession: async (changed) => {
        world.stored = changed;
      },
      archiveLog: async () => undefined,
      addArchiveCandidate: async () => undefined,
      deleteSession: async () => {
        world.stored = null;
      },
    },
    replication: {
      start: () => undefined,
      startByAlarm: () => undefined,
      waitIfQuick: async () => undefined,
      waitUntilReplicated: async () => undefined,
    },
    emit: (event) => void world.events.push(event),
    hasSubscribers: () => false,
    closeSubscriptions: (reason) => void world.closed.push(reason),
    reportTurns: () => ({ add: () => undefined, end: async () => undefined }),
    callEndpoints: async (calls, onEvents) => {
      await Promise.all(
        calls.map(async (call) => {
          const stopped = new Promise<ReplyEvent[]>((resolve) => {
            const stop = () => resolve([{ ...fails("stopped")[0], code: "cancelled" } as ReplyEvent]);
            if (call.signal.aborted) stop();
            else call.signal.addEventListener("abort", stop);
          });
          onEvents(call.chatId, await Promise.race([endpoint(call), stopped]));
        }),
      );
    },
    releaseEarlierSlots: async () => undefined,
    scheduleAlarm: async () => undefined,
    keepAlive: (work) => void work.catch(() => undefined),
  };
  return world;
}
