import { DurableObject } from "cloudflare:workers";

/*
 * The measure for Parley: the least a person would write for an append and for a chat. Anyone may call, and whatever
 * they send is taken.
 */

interface Bindings {
  DB: D1Database;
  CONVERSATIONS: DurableObjectNamespace<Conversation>;
}

interface Asked {
  content: string;
  /** Base address of a server that speaks as OpenAI does. */
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

  async chat({ content, upstream }: Asked): Promise<string> {
    this.append("user", content);
    const answer = await ask(upstream, content);
    const reply = textOf(await answer.text());
    this.append("assistant", reply);
    return reply;
  }

  /** Passes the model's own stream on, and keeps the reply when it is over. */
  async stream(name: string, { content, upstream }: Asked): Promise<ReadableStream<Uint8Array>> {
    this.append("user", content);
    const { body } = await ask(upstream, content);
    const [passedOn, kept] = (body ?? new ReadableStream<Uint8Array>()).tee();
    this.ctx.waitUntil(this.#keep(name, kept));
    return passedOn;
  }

  async #keep(name: string, events: ReadableStream<Uint8Array>): Promise<void> {
    const reply = textOf(await new Response(events).text());
    await insertInD1(this.env, name, "assistant", reply, this.append("assistant", reply));
  }
}

const ask = (upstream: string, content: string): Promise<Response> =>
  fetch(`${upstream}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "bench", stream: true, messages: [{ role: "user", content }] }),
  });

interface Chunk {
  choices: { delta: { content?: string } }[];
}

const textOf = (events: string): string =>
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
      const reply = await env.CONVERSATIONS.getByName(name).chat(await request.json<Asked>());
      await insertInD1(env, name, "assistant", reply, Date.now());
      return Response.json({ reply });
    }
    if (pathname === "/stream") {
      const events = await env.CONVERSATIONS.getByName(name).stream(name, await request.json<Asked>());
      return new Response(events, { headers: { "content-type": "text/event-stream" } });
    }
    return Response.json({});
  },
} satisfies ExportedHandler<Bindings>;
