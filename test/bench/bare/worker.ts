/**
 * The bare Worker that Parley is compared with: the least code that appends a message and holds a chat. It checks neither callers
 * nor input.
 */
import { DurableObject } from "cloudflare:workers";

interface Bindings {
  DB: D1Database;
  CONVERSATIONS: DurableObjectNamespace<Conversation>;
}

interface ChatRequest {
  content: string;
  /** Base address of a server with OpenAI's format. */
  upstream: string;
}

export class Conversation extends DurableObject<Bindings> {
  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS messages (role TEXT, content TEXT, created_at INTEGER)");
  }

  append(role: string, content: string): number {
    const at = Date.now();
    this.ctx.storage.sql.exec("INSERT INTO messages VALUES (?, ?, ?)", role, content, at);
    return at;
  }

  async chat({ content, upstream }: ChatRequest): Promise<string> {
    this.append("user", content);
    const answer = await callModel(upstream, content);
    const reply = readText(await answer.text());
    this.append("assistant", reply);
    return reply;
  }

  /** Forwards the model's own stream, and saves the reply at its end. */
  async stream(name: string, { content, upstream }: ChatRequest): Promise<ReadableStream<Uint8Array>> {
    this.append("user", content);
    const { body } = await callModel(upstream, content);
    const [forwarded, copy] = (body ?? new ReadableStream<Uint8Array>()).tee();
    this.ctx.waitUntil(this.#save(name, copy));
    return forwarded;
  }

  async #save(name: string, events: ReadableStream<Uint8Array>): Promise<void> {
    const reply = readText(await new Response(events).text());
    await insertInD1(this.env, name, "assistant", reply, this.append("assistant", reply));
  }
}

const callModel = (upstream: string, content: string): Promise<Response> =>
  fetch(`${upstream}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "bench", stream: true, messages: [{ role: "user", content }] }),
  });

interface Chunk {
  choices: { delta: { content?: string } }[];
}

const readText = (events: string): string =>
  events
    .split("\n")
    .filter((line) => line.startsWith("data: {"))
    .map((line) => (JSON.parse(line.slice("data: ".length)) as Chunk).choices[0]?.delta.content ?? "")
    .join("");

const insertInD1 = (env: Bindings, ...row: unknown[]) =>
  env.DB.prepare("INSERT INTO messages VALUES (?, ?, ?, ?)")
    .bind(...row)
    .run();

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const name = searchParams.get("conversation") ?? "";
    if (pathname === "/append") {
      const { role, content } = await request.json<{ role: string; content: string }>();
      const at = await env.CONVERSATIONS.getByName(name).append(role, content);
      await insertInD1(env, name, role, content, at);
      return Response.json({ at });
    }
    if (pathname === "/chat") {
      const reply = await env.CONVERSATIONS.getByName(name).chat(await request.json<ChatRequest>());
      await insertInD1(env, name, "assistant", reply, Date.now());
      return Response.json({ reply });
    }
    if (pathname === "/stream") {
      const events = await env.CONVERSATIONS.getByName(name).stream(name, await request.json<ChatRequest>());
      return new Response(events, { headers: { "content-type": "text/event-stream" } });
    }
    return Response.json({});
  },
} satisfies ExportedHandler<Bindings>;
