/** Calls that come again after a failure, behind what others have added, and calls of several messages: what the session shows, and what its model gets. */
import { describe, expect, it } from "vitest";
import type { ModelMessage, ReplyEvent } from "../../../src/core/reply.ts";
import { shownParentOf } from "../../../src/core/message-tree.ts";
import { SessionRoom } from "../../../src/live/session-room.ts";
import type { ConversationQuestion, Question } from "../../../src/live/session-results.ts";
import { aChatSession, aChatbot, aWorld, anEndpoint, fails, says } from "../../support/session-world.ts";
import type { TestWorld } from "../../support/session-world.ts";

const user = (content: string): ModelMessage => ({ role: "user", content });
const assistant = (content: string): ModelMessage => ({ role: "assistant", content });

const textOf = ({ role, content }: ModelMessage): string => `${role}: ${content}`;

/** New messages in the end of the conversation, or all of it. */
const question = (messages: ModelMessage[], from: ConversationQuestion["from"] = "end"): ConversationQuestion => ({
  messages,
  from,
  chatbotId: "bot",
  by: { role: "service" },
});

/** A reply that breaks off after a text. */
const breaksOff = (text: string): ReplyEvent[] => [{ type: "text", text }, ...fails("No")];

/** Resolves when a turn that waits for nothing else has begun. */
const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

class Chat {
  readonly world: TestWorld;
  readonly room: SessionRoom;
  /** What the model got with the last call. */
  sent: string[] = [];
  calls = 0;
  /** What the calls get, one after the other. */
  readonly #replies: (ReplyEvent[] | Promise<ReplyEvent[]>)[];

  constructor(...replies: (ReplyEvent[] | Promise<ReplyEvent[]>)[]) {
    this.#replies = replies;
    this.world = aWorld(aChatSession(), ({ request }) => {
      this.calls += 1;
      this.sent = request.messages.map(textOf);
      return this.#replies.shift() ?? says(`answer ${this.calls}`);
    });
    this.room = new SessionRoom(this.world);
  }

  ask(asked: Question, key: string | null = null) {
    return this.room.prompt(asked, "added", key === null ? null : { caller: "c", key });
  }

  say(content: string, key: string | null = null) {
    return this.ask({ content }, key);
  }

  async takeOver(): Promise<void> {
    await this.room.takeOver({ operator: { id: "grace", name: "Grace" }, reason: null });
  }

  get shown(): string[] {
    return this.world.log.shownMessages(0, 100).items.map(textOf);
  }

  get lastSeq(): number {
    return this.world.log.loadedState.session.lastSeq;
  }

  /** What a message follows, and its text. */
  get tree(): [parentSeq: number | null, text: string][] {
    return this.world.log.messages(0, 100).items.map((message) => [shownParentOf(message), message.content]);
  }
}

describe("a question that is asked again under its key, after another question", () => {
  it("leaves that question and its answer where they are, however often it breaks off", async () => {
    const chat = new Chat(breaksOff("ha"), says("two"), breaksOff("hal"), breaksOff("half"), says("one"));
    await chat.say("q1", "k");
    await chat.say("q2");
    for (let time = 0; time < 3; time += 1) await chat.say("q1", "k");
    expect(chat.shown).toEqual(["user: q1", "assistant: ha", "user: q2", "assistant: two", "assistant: one"]);
  });

  it("is sent behind it, without the part of an answer", async () => {
    const chat = new Chat(breaksOff("ha"), says("two"), breaksOff("half"), says("one"));
    await chat.say("q1", "k");
    await chat.say("q2");
    const sent = ["user: q2", "assistant: two", "user: q1"];
    for (let time = 0; time < 2; time += 1) {
      await chat.say("q1", "k");
      expect(chat.sent).toEqual(sent);
    }
    await chat.ask({ regeneratedSeq: chat.lastSeq });
    expect(chat.sent).toEqual(sent);
    expect(chat.shown.at(-1)).toBe("assistant: answer 5");
  });

  it("leaves the words of a person where they are, also if it was left to that person", async () => {
    const chat = new Chat(says("one"));
    await chat.say("q1");
    await chat.takeOver();
    const again = question([user("q1"), assistant("one"), user("q2")], "start");
    expect(await chat.ask(again, "k")).toMatchObject({ ok: true });
    await chat.room.append({ role: "assistant", content: "by a person", createdAt: null }, null);
    await chat.room.handBack(null);
    await chat.ask(again, "k");
    expect(chat.shown.slice(2)).toEqual(["user: q2", "assistant: by a person", "assistant: answer 2"]);
  });
});

describe("a question that was answered by another call meanwhile", () => {
  it("stays in its place, and is sent behind the others too", async () => {
    const chat = new Chat(breaksOff("ha"), says("one"), says("two"));
    await chat.say("q1", "k");
    await chat.ask({ regeneratedSeq: 2 });
    await chat.say("q2");
    await chat.say("q1", "k");
    expect(chat.sent).toEqual(["user: q1", "assistant: one", "user: q2", "assistant: two", "user: q1"]);
    expect(chat.shown.slice(1)).toEqual(["assistant: one", "user: q2", "assistant: two", "assistant: answer 4"]);
  });
});

describe("a conversation that joins a turn under a key of its own", () => {
  it.each([
    ["runs", []],
    ["waits", ["first"]],
  ])("gets the answer of that turn ever after: one that %s", async (_, before) => {
    const { promise, resolve } = Promise.withResolvers<ReplyEvent[]>();
    const chat = new Chat(promise);
    const earlier = before.map((content) => chat.say(content));
    const asked = question([...before, "q"].map(user), "start");
    const calls = [chat.ask(asked, "a")];
    await soon();
    calls.push(chat.ask(asked, "b"));
    await soon();
    resolve(says("one"));
    await Promise.all([...earlier, ...calls]);
    const { lastSeq } = chat;
    await chat.say("other");
    for (const key of ["a", "b"])
      expect(await chat.ask(asked, key)).toMatchObject({ ok: true, value: { replayed: true } });
    expect(chat.lastSeq).toBe(lastSeq + 2);
    expect(chat.shown.slice(-2)).toEqual(["user: other", `assistant: answer ${chat.calls}`]);
  });

  it("is asked again if that turn failed, and adds nothing", async () => {
    const { promise, resolve } = Promise.withResolvers<ReplyEvent[]>();
    const chat = new Chat(promise, says("one"));
    const asked = question([user("q")], "start");
    const calls = [chat.ask(asked, "a")];
    await soon();
    calls.push(chat.ask(asked, "b"));
    resolve(fails("No"));
    await Promise.all(calls);
    await chat.ask(asked, "b");
    expect(chat.shown).toEqual(["user: q", "assistant: one"]);
  });
});

describe("several messages in one call", () => {
  it("are added together when their turn comes, and move nothing of the turn before", async () => {
    const { promise, resolve } = Promise.withResolvers<ReplyEvent[]>();
    const chat = new Chat(says("0"), promise);
    await chat.say("start");
    const running = chat.say("q");
    await soon();
    const added = chat.ask(question([user("start"), user("x"), user("y")], "start"));
    await soon();
    expect(chat.lastSeq).toBe(3);
    resolve(says("to q"));
    await Promise.all([running, added]);
    expect(chat.tree).toEqual([
      [null, "start"],
      [1, "0"],
      [2, "q"],
      [3, "to q"],
      [2, "x"],
      [5, "y"],
      [6, "answer 3"],
    ]);
    expect(chat.sent).toEqual(["user: start", "assistant: 0", "user: x\n\ny"]);
  });

  it("leave nothing if the queue is full", async () => {
    const { promise, resolve } = Promise.withResolvers<ReplyEvent[]>();
    const chat = new Chat(promise);
    const turns = Array.from({ length: 17 }, (_, n) => chat.say(`${n}`));
    await soon();
    expect(await chat.ask(question([user("x"), user("y")]))).toMatchObject({ failure: { reason: "turn-queue-full" } });
    resolve(says("0"));
    await Promise.all(turns);
    expect(chat.lastSeq).toBe(34);
  });

  it("leave nothing if the question does not fit", async () => {
    const chat = new Chat();
    const { readTurnContext } = chat.world.records;
    chat.world.records.readTurnContext = async (session) => {
      const context = await readTurnContext(session);
      if (context.of !== "chat") return context;
      const chatbot = { ...aChatbot, context: { maxTokens: 64, keep: "newest" as const } };
      return { of: "chat", chat: { ...context.chat, endpoint: anEndpoint, chatbot } };
    };
    expect(await chat.ask(question([user("x"), user("y".repeat(10_000))]))).toMatchObject({
      failure: { reason: "context-too-small" },
    });
    expect(chat.lastSeq).toBe(0);
  });

  it("leave nothing if a person takes over before their turn, and they replace a message", async () => {
    const chat = new Chat(says("0"), new Promise(() => undefined));
    await chat.say("start");
    const running = chat.say("q");
    await soon();
    const edit = chat.ask(question([user("start"), user("x"), user("y")], "start"));
    await chat.takeOver();
    await running;
    expect(await edit).toMatchObject({ failure: { reason: "human-handles" } });
    expect(chat.tree.map(([, text]) => text)).not.toContain("x");
  });

  it("are sent to the model in their order, behind the conversation", async () => {
    const chat = new Chat(says("0"));
    await chat.say("start");
    await chat.ask(question([user("x"), assistant("y"), user("z")]));
    expect(chat.sent).toEqual(["user: start", "assistant: 0", "user: x", "assistant: y", "user: z"]);
    expect(chat.shown.slice(2)).toEqual(["user: x", "assistant: y", "user: z", "assistant: answer 2"]);
  });
});

describe("new messages that come again without a key", () => {
  it.each([
    ["one", [user("q")]],
    ["several", [user("context"), assistant("noted"), user("q")]],
  ])("join the turn that waits or runs: %s", async (_, messages) => {
    const { promise, resolve } = Promise.withResolvers<ReplyEvent[]>();
    const chat = new Chat(promise);
    const first = chat.say("first");
    const waiting = [1, 2, 3].map(() => chat.ask(question(messages)));
    await soon();
    resolve(says("0"));
    await Promise.all([first, ...waiting]);
    expect(chat.calls).toBe(2);
    expect(chat.shown.slice(2)).toEqual([...messages.map(textOf), "assistant: answer 2"]);
  });

  it.each([
    ["a failure", fails("No")],
    ["a reply that broke off", breaksOff("ha")],
  ])("are asked again after %s, and are not added again", async (_, failure) => {
    const chat = new Chat(says("0"), failure, failure, says("one"));
    await chat.say("start");
    const messages = [user("context"), user("q")];
    for (let time = 0; time < 3; time += 1) await chat.ask(question(messages));
    expect(chat.shown.slice(2)).toEqual(["user: context", "user: q", "assistant: one"]);
    expect(chat.sent).toEqual(["user: start", "assistant: 0", "user: context\n\nq"]);
    await chat.ask(question(messages));
    expect(chat.shown.slice(5)).toEqual(["user: context", "user: q", "assistant: answer 5"]);
  });

  it("are left to a person once", async () => {
    const chat = new Chat();
    await chat.say("start");
    await chat.takeOver();
    for (let time = 0; time < 2; time += 1) await chat.ask(question([user("context"), user("q")]));
    expect(chat.shown.slice(2)).toEqual(["user: context", "user: q"]);
  });

  it("are new under keys of their own", async () => {
    const chat = new Chat();
    await Promise.all(["a", "b"].map((key) => chat.ask(question([user("yes")]), key)));
    expect(chat.shown.filter((text) => text === "user: yes")).toHaveLength(2);
  });
});
