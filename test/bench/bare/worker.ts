/**
 * The bare Worker that Parley is compared with: the least code that does the same work. A message is a row in an object and a row
 * in D1, a chat reads the model's stream as it arrives. It checks neither callers nor input.
 */
import { DurableObject } from "cloudflare:workers";
import { readDeltas } from "./deltas.ts";

interface Bindings {
  DB: D1Database;
  CONVERSATIONS: DurableObjectNamespace<Conversation>;
}

interface ChatRequest {
  content: string;
  /** Base address of a server with OpenAI's format. */
  upstream: string;
}

interface FanOutRequest extends ChatRequest {
  endpoints: number;
}

type Frame = { append: string } | ChatRequest;

type Row = [role: string, content: string, createdAt: number];

export class Conversation extends DurableObject<Bindings> {
  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS messages (role TEXT, content TEXT, created_at INTEGER)");
  }

  #insert(role: string, content: string): Row {
    const row: Row = [role, content, Date.now()];
    this.ctx.storage.sql.exec("INSERT INTO messages VALUES (?, ?, ?)", ...row);
    return row;
  }

  append(role: string, content: string): Row {
    return this.#insert(role, content);
  }

  /** All messages as JSON text. */
  read(): string {
    return JSON.stringify(this.ctx.storage.sql.exec("SELECT role, content, created_at FROM messages").toArray());
  }

  async chat(request: ChatRequest): Promise<Row[]> {
    const asked = this.#insert("user", request.content);
    let reply = "";
    for await (const delta of readDeltas(await callModel(request))) reply += delta;
    return [asked, this.#insert("assistant", reply)];
  }

  async fanOut(request: FanOutRequest): Promise<Row[]> {
    const asked = this.#insert("user", request.content);
    const replies = Array.from({ length: request.endpoints }, async () => {
      let reply = "";
      for await (const delta of readDeltas(await callModel(request))) reply += delta;
      return this.#insert("assistant", reply);
    });
    return [asked, ...(await Promise.all(replies))];
  }

  /** Forwards the model's own stream, and saves the reply at its end. */
  async stream(name: string, request: ChatRequest): Promise<ReadableStream<Uint8Array>> {
    const asked = this.#insert("user", request.content);
    const { body } = await callModel(request);
    const [forwarded, copy] = (body ?? new ReadableStream<Uint8Array>()).tee();
    this.ctx.waitUntil(this.#save(name, asked, copy));
    return forwarded;
  }

  async #save(name: string, asked: Row, events: ReadableStream<Uint8Array>): Promise<void> {
    let reply = "";
    for await (const delta of readDeltas(new Response(events))) reply += delta;
    await insertInD1(this.env, name, asked, this.#insert("assistant", reply));
  }

  override async fetch(request: Request): Promise<Response> {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [new URL(request.url).searchParams.get("conversation") ?? ""]);
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(socket: WebSocket, data: string): Promise<void> {
    const [name] = this.ctx.getTags(socket);
    const frame = JSON.parse(data) as Frame;
    if ("append" in frame) {
      const row = this.#insert("user", frame.append);
      socket.send(`{"type":"ack"}`);
      return insertInD1(this.env, name, row);
    }
    const asked = this.#insert("user", frame.content);
    let reply = "";
    for await (const text of readDeltas(await callModel(frame))) {
      reply += text;
      socket.send(JSON.stringify({ type: "reply-delta", text }));
    }
    const answered = this.#insert("assistant", reply);
    socket.send(`{"type":"turn-ended"}`);
    return insertInD1(this.env, name, asked, answered);
  }
}

const callModel = ({ upstream, content }: ChatRequest): Promise<Response> =>
  fetch(`${upstream}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "bench", stream: true, messages: [{ role: "user", content }] }),
  });

async function insertInD1(env: Bindings, name: string | undefined, ...rows: (string | number)[][]): Promise<void> {
  const insert = env.DB.prepare("INSERT INTO messages VALUES (?, ?, ?, ?)");
  await env.DB.batch(rows.map((row) => insert.bind(name, ...row)));
}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const name = searchParams.get("conversation") ?? "";
    const conversation = env.CONVERSATIONS.getByName(name);
    // Also under a path of Parley's: with its assets, those are not looked up among them.
    switch (pathname.replace("/sessions/", "/")) {
      case "/append": {
        const { role, content } = await request.json<{ role: string; content: string }>();
        const row = await conversation.append(role, content);
        await insertInD1(env, name, row);
        return Response.json({ at: row[2] });
      }
      case "/read":
        return new Response(await conversation.read(), { headers: { "content-type": "application/json" } });
      case "/chat": {
        const rows = await conversation.chat(await request.json<ChatRequest>());
        await insertInD1(env, name, ...rows);
        return Response.json({ reply: rows[1]?.[1] });
      }
      case "/fan-out": {
        const rows = await conversation.fanOut(await request.json<FanOutRequest>());
        await insertInD1(env, name, ...rows);
        return Response.json({ replies: rows.slice(1).map(([, reply]) => reply) });
      }
      case "/stream": {
        const events = await conversation.stream(name, await request.json<ChatRequest>());
        return new Response(events, { headers: { "content-type": "text/event-stream" } });
      }
      case "/proxy":
        return callModel(await request.json<ChatRequest>());
      case "/ws":
        return conversation.fetch(request);
      default:
        return Response.json({});
    }
  },
} satisfies ExportedHandler<Bindings>;
