/**
 * Random histories of a client that sends the whole conversation with every call, against a model of what the session must
 * show and what its model must get. `HISTORIES` is how many to run.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ModelMessage } from "../../../src/core/reply.ts";
import { SessionRoom } from "../../../src/live/session-room.ts";
import type { ConversationQuestion } from "../../../src/live/session-results.ts";
import { aChatSession, aWorld, fails, says } from "../../support/session-world.ts";
import type { TestWorld } from "../../support/session-world.ts";

const HISTORIES = Number(process.env["HISTORIES"] ?? 300);

const user = (content: string): ModelMessage => ({ role: "user", content });
const assistant = (content: string): ModelMessage => ({ role: "assistant", content });

const step = fc.record({
  action: fc.constantFrom("say", "say", "say-several", "edit", "ask-again"),
  at: fc.nat(),
  reply: fc.constantFrom("text", "text", "text", "failure"),
  received: fc.constantFrom("all", "all", "half", "nothing"),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const textOf = ({ role, content }: ModelMessage): string => `${role}: ${content}`;

const question = (messages: ModelMessage[], fields: Partial<ConversationQuestion> = {}): ConversationQuestion => ({
  messages,
  from: "start",
  chatbotId: "bot",
  by: { role: "service" },
  ...fields,
});

/** The conversation that a session shows. */
const shownIn = ({ log }: TestWorld): string[] => log.shownMessages(0, 1_000).items.map(textOf);

class Client {
  readonly world: TestWorld;
  readonly room: SessionRoom;
  /** What the session must show. */
  #path: ModelMessage[] = [];
  /** What the client has: the place on the path of each of its messages, and its own text. */
  #mine: { place: number; message: ModelMessage }[] = [];
  #reply = "";
  #sent: string[] = [];
  #count = 0;

  constructor() {
    this.world = aWorld(aChatSession(), ({ request }) => {
      this.#sent = request.messages.map(textOf);
      return this.#reply === "" ? fails("No") : says(this.#reply);
    });
    this.room = new SessionRoom(this.world);
  }

  async step({ action, at, reply, received }: Step): Promise<void> {
    this.#count += 1;
    this.#reply = reply === "text" ? `answer ${this.#count}.` : "";
    const prompts = this.#mine.flatMap(({ message }, index) => (message.role === "user" ? [index] : []));
    const index = prompts[at % Math.max(prompts.length, 1)];
    const before = this.#path;
    const isRepeated = action === "ask-again" && index !== undefined;
    if (isRepeated) this.#askAgain(index);
    else if (action === "edit" && index !== undefined) this.#edit(index);
    else this.#say(action === "say-several");
    const messages = this.#mine.map(({ message }) => message);
    const asked = this.#path.map(textOf);
    const result = await this.room.prompt(question(messages), "added", null);
    expect(result.ok).toBe(true);
    expect(this.#sent.join("\n\n")).toBe(merged(asked));
    if (reply === "text") this.#receive(received);
    // An answer without text is never shown: the one before it stays.
    else if (isRepeated) this.#path = before;
    expect(shownIn(this.world)).toEqual(this.#path.map(textOf));
  }

  #say(several: boolean): void {
    if (several) {
      this.#add(user(`before ${this.#count}`));
      this.#add(assistant(`invented ${this.#count}`));
    }
    this.#add(user(`message ${this.#count}`));
  }

  #edit(index: number): void {
    this.#mine = this.#mine.slice(0, index);
    this.#add(user(`edited ${this.#count}`));
  }

  #askAgain(index: number): void {
    this.#path = this.#path.slice(0, (this.#mine[index]?.place ?? 0) + 1);
    this.#mine = this.#mine.slice(0, index + 1);
  }

  /** In the place of what the client does not have, but for answers: those stay. */
  #add(message: ModelMessage): void {
    let place = (this.#mine.at(-1)?.place ?? -1) + 1;
    if (message.role === "user") while (this.#path[place]?.role === "assistant") place += 1;
    this.#mine.push({ place, message });
    this.#path = [...this.#path.slice(0, place), message];
  }

  #receive(received: Step["received"]): void {
    const place = this.#path.length;
    this.#path = [...this.#path, assistant(this.#reply)];
    if (received === "nothing") return;
    const text = received === "all" ? this.#reply : this.#reply.slice(0, 6);
    this.#mine.push({ place, message: assistant(text) });
  }
}

/** What a model gets of a conversation: messages of one role in a row are one. */
function merged(lines: string[]): string {
  const turns: string[] = [];
  for (const line of lines) {
    const role = line.split(":")[0] ?? "";
    if (turns.at(-1)?.startsWith(`${role}:`)) turns.push(`${turns.pop()}\n\n${line.slice(role.length + 2)}`);
    else turns.push(line);
  }
  return turns.join("\n\n");
}

it("random histories agree with a model", async () => {
  const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
    const client = new Client();
    for (const one of steps) await client.step(one);
  });
  await fc.assert(property, { numRuns: HISTORIES });
});

describe("the same conversation", () => {
  it("that comes again while its turn waits or runs joins it, whatever stands before it", async () => {
    let calls = 0;
    const world = aWorld(aChatSession(), async () => {
      calls += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return says("Hello");
    });
    const room = new SessionRoom(world);
    const first = room.prompt({ content: "first" }, "added", null);
    const waiting = [1, 2, 3].map(() => room.prompt(question([user("first"), user("second")]), "added", null));
    const results = await Promise.all([first, ...waiting]);
    expect(results.every(({ ok }) => ok)).toBe(true);
    const running = [1, 2].map((n) =>
      room.prompt(question([user("first"), user("second")], { instructions: String(n) }), "added", null),
    );
    await Promise.all(running);
    expect(calls).toBe(3);
    expect(shownIn(world).filter((line) => line === "user: second")).toHaveLength(1);
  });

  it("that ends with a prompt which is being answered joins that turn", async () => {
    let calls = 0;
    const world = aWorld(aChatSession(), async () => {
      calls += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return says("Hello");
    });
    const room = new SessionRoom(world);
    const chat = room.prompt({ content: "1" }, "added", null);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const joined = await room.prompt(question([user(" 1")]), "added", null);
    expect(joined).toMatchObject({ ok: true, value: { replayed: true } });
    await chat;
    expect(calls).toBe(1);
    expect(shownIn(world)).toEqual(["user: 1", "assistant: Hello"]);
  });

  it("that comes again after its turn is a regenerate", async () => {
    const world = aWorld(aChatSession());
    const room = new SessionRoom(world);
    for (let time = 0; time < 2; time += 1) await room.prompt(question([user("1")]), "added", null);
    expect(shownIn(world)).toEqual(["user: 1", "assistant: Hello"]);
    expect(world.log.loadedState.session.lastSeq).toBe(3);
  });
});

describe("a conversation is refused", () => {
  it.each<[string, ConversationQuestion, string]>([
    ["with another chatbot", question([user("1")], { chatbotId: "other" }), "model-mismatch"],
    ["that ends with an answer", question([user("1"), assistant("2")]), "invalid"],
    ["that ends with an answer, at the end", question([user("1"), assistant("2")], { from: "end" }), "invalid"],
    ["behind a turn that is not there", question([user("1")], { from: { turnId: "none" } }), "not-found"],
    [
      "in which a client speaks for the chatbot",
      question([user("1"), assistant("2"), user("3")], { by: { role: "client" } }),
      "invalid",
    ],
  ])("%s, and changes nothing", async (_, asked, reason) => {
    const world = aWorld(aChatSession());
    const room = new SessionRoom(world);
    expect(await room.prompt(asked, "added", null)).toMatchObject({ failure: { reason } });
    expect(shownIn(world)).toEqual([]);
  });
});

it("changes nothing for an edit while a person handles the session", async () => {
  const world = aWorld(aChatSession());
  const room = new SessionRoom(world);
  await room.prompt(question([user("1")]), "added", null);
  await room.takeOver({ operator: { id: "grace", name: "Grace" }, reason: null });
  const edited = question([user("a"), assistant("b"), user("c")]);
  expect(await room.prompt(edited, "added", null)).toMatchObject({ failure: { reason: "human-handles" } });
  expect(world.log.loadedState.session.lastSeq).toBe(2);
});

it("stops a turn by its id, one that waits too", async () => {
  const world = aWorld(aChatSession(), async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    return fails("stopped");
  });
  const room = new SessionRoom(world);
  const accepted = [await room.submitPrompt({ content: "1" }, null), await room.submitPrompt({ content: "2" }, null)];
  const [first = "", second = ""] = accepted.map((one) => (one.ok ? one.value.turnId : ""));
  await new Promise((resolve) => setTimeout(resolve, 5));
  const stopSecond = room.prompts.stop(second);
  expect(room.prompts.turn(second)).toMatchObject({ ok: true, value: { isOpen: true } });
  expect(await room.prompts.stop(first)).toEqual({ ok: true, value: true });
  expect(await stopSecond).toEqual({ ok: true, value: true });
  expect(await room.prompts.stop(first)).toEqual({ ok: true, value: false });
  for (const turnId of [first, second])
    expect(room.prompts.turn(turnId)).toMatchObject({ ok: true, value: { isOpen: false } });
});
