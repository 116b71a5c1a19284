/** Every command of a session, in Node, with a world in memory. */
import { describe, expect, it } from "vitest";
import type { Caller } from "../../../src/core/caller.ts";
import { replyFailure } from "../../../src/core/reply.ts";
import { runFrame } from "../../../src/live/frame-commands.ts";
import { passResult } from "../../../src/live/passed-messages.ts";
import { TurnSeries } from "../../../src/live/turn-series.ts";
import { SessionRoom } from "../../../src/live/session-room.ts";
import { aChatSession, aWorld, fails, says } from "../../support/session-world.ts";
import type { Endpoint } from "../../support/session-world.ts";

const aRoom = (endpoint?: Endpoint, fields = {}) => {
  const world = aWorld(aChatSession(fields), endpoint);
  return { world, room: new SessionRoom(world) };
};
const user = (content: string) => ({ role: "user" as const, content, createdAt: null });
const key = (name: string) => ({ caller: "ada", key: name });
const contents = (room: SessionRoom) => {
  const page = room.page(0, 100, "all");
  return page.ok ? page.value?.items.map(({ content }) => content) : null;
};

describe("append", () => {
  it("appends in order, and once for a key", async () => {
    const { room, world } = aRoom();
    await room.append(user("one"), key("a"));
    const again = await room.append(user("one"), key("a"));
    await room.append(user("two"), null);
    expect(again).toMatchObject({ ok: true, value: { replayed: true, message: { seq: 1 } } });
    expect(contents(room)).toEqual(["one", "two"]);
    expect(world.events.map(({ type }) => type)).toEqual(["message-appended", "message-appended"]);
  });

  it("rejects another message under the same key, and any message once the session has ended", async () => {
    const { room } = aRoom();
    await room.append(user("one"), key("a"));
    expect(await room.append(user("two"), key("a"))).toMatchObject({ failure: { reason: "idempotency-conflict" } });
    await room.end("added");
    expect(await room.append(user("two"), null)).toMatchObject({ failure: { reason: "session-not-active" } });
    // A repeated call still gets its first answer.
    expect(await room.append(user("one"), key("a"))).toMatchObject({ ok: true, value: { replayed: true } });
  });

  it("shows the log as far as its own message to each of many callers at once", async () => {
    const { room } = aRoom();
    const results = await Promise.all(["a", "b", "c"].map((text) => room.appendAndShow(user(text), "whole", null)));
    expect(
      results.map((outcome) => passResult(outcome)).map((result) => (result.ok ? result.value.messages.length : 0)),
    ).toEqual([1, 2, 3]);
  });
});

describe("prompt", () => {
  it("logs the prompt and the reply as one numbered turn, with the events of a turn", async () => {
    const { room, world } = aRoom();
    const first = await room.prompt({ content: "Hi" }, "added", null);
    const second = await room.prompt({ content: "Still there?" }, "added", null);
    expect(first.ok && first.value.messages.map(({ content, turnNumber }) => [content, turnNumber])).toEqual([
      ["Hi", 1],
      ["Hello", 1],
    ]);
    expect(second.ok && second.value.messages[0]?.turnNumber).toBe(2);
    expect(world.events.slice(0, 7).map(({ type }) => type)).toEqual([
      "turn-started",
      "message-appended",
      "reply-start",
      "reply-delta",
      "message-appended",
      "reply-end",
      "turn-ended",
    ]);
  });

  it("ends with the wait that its provider asks for, if it asks", async () => {
    const failure = replyFailure("rate_limited", "No", { retryAfterSeconds: 7 });
    const endings = [[failure], fails("down"), says("Hello")].values();
    const { room, world } = aRoom(() => endings.next().value ?? []);
    for (const content of ["1", "2", "3"]) await room.prompt({ content }, "added", null);
    const ended = { type: "turn-ended", turnId: expect.any(String) };
    expect(world.events.filter(({ type }) => type === "turn-ended")).toStrictEqual([
      { ...ended, status: "error", retryAfterSeconds: 7 },
      { ...ended, status: "error" },
      { ...ended, status: "ok" },
    ]);
  });

  it("stores the text that its events have, also where a reply ends with half a character", async () => {
    const { room, world } = aRoom(() => says("cut \ud83d"));
    await room.prompt({ content: "Hi" }, "added", null);
    expect(contents(room)).toEqual(["Hi", "cut \ufffd"]);
    const appended = world.events.filter(({ type }) => type === "message-appended");
    expect(appended.at(-1)).toMatchObject({ content: "cut \ufffd" });
  });

  it("runs one turn at a time, lets 16 wait and rejects the next", async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const { room } = aRoom(async () => {
      await promise;
      return says("Hello");
    });
    const prompts = Array.from({ length: 18 }, (_, n) => room.prompt({ content: `p${n}` }, "added", null));
    const last = await prompts[17];
    expect(last).toMatchObject({ failure: { reason: "turn-queue-full", retryAfterSeconds: 5 } });
    resolve(undefined);
    await Promise.all(prompts);
    expect(contents(room)).toEqual(Array.from({ length: 17 }, (_, n) => [`p${n}`, "Hello"]).flat());
  });

  it.each(["HTTP", "a frame"])(
    "asks again by %s after a failed chat, without appending the prompt twice",
    async (by) => {
      let calls = 0;
      const { room } = aRoom(() => ((calls += 1) === 1 ? fails("down") : says("Hello")));
      const submit = async () => {
        if (by === "HTTP") return void (await room.prompt({ content: "Hi" }, "added", key("a")));
        const frame = { type: "prompt-submit" as const, id: "1", content: "Hi" };
        await runFrame(room, frame, caller("service"), "chatbot", () => undefined);
        const accepted = await room.submitPrompt({ content: "Hi" }, { caller: "ada", key: "frame 1" });
        if (accepted.ok) await accepted.value.submitted?.finished;
      };
      await submit();
      await submit();
      await submit();
      expect(contents(room)).toEqual(["Hi", "", "Hello"]);
      expect(calls).toBe(2);
    },
  );

  it("keeps a key from the start of its turn on, and in memory before", async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const { room, world } = aRoom(async () => {
      await promise;
      return says("Hello");
    });
    const stored = (name: string) =>
      world.log.results.find("ada", name) !== null && world.log.results.waiting.find("ada", name) === null;
    const running = room.prompt({ content: "one" }, "added", key("a"));
    const waiting = room.prompt({ content: "two" }, "added", key("b"));
    await new Promise((started) => setTimeout(started, 5));
    expect([stored("a"), stored("b")]).toEqual([true, false]);
    expect(await room.prompt({ content: "other" }, "added", key("b"))).toMatchObject({
      failure: { reason: "idempotency-conflict" },
    });
    const again = room.prompt({ content: "two" }, "added", key("b"));
    resolve(undefined);
    const [, first, second] = await Promise.all([running, waiting, again]);
    expect(second).toMatchObject({ value: { replayed: true, messages: first.ok ? first.value.messages : [] } });
    expect(stored("b")).toBe(true);
    expect(contents(room)).toEqual(["one", "Hello", "two", "Hello"]);
  });

  it("gives a key free again when its turn never starts", async () => {
    const { room } = aRoom(() => new Promise(() => undefined));
    void room.prompt({ content: "one" }, "added", null);
    const waiting = room.prompt({ content: "two" }, "added", key("b"));
    await new Promise((started) => setTimeout(started, 5));
    await room.end("added");
    expect(await waiting).toMatchObject({ failure: { reason: "session-not-active" } });
    await room.amend({ status: "ACTIVE" }, "added");
    void room.prompt({ content: "another" }, "added", key("b"));
    await new Promise((started) => setTimeout(started, 5));
    expect(contents(room)).toEqual(["one", "", "another"]);
  });

  it("stops: the turn that runs is cancelled, the next one goes on", async () => {
    let calls = 0;
    const { room, world } = aRoom(() => ((calls += 1) === 1 ? new Promise(() => undefined) : says("Hello")));
    const first = room.prompt({ content: "one" }, "added", null);
    const second = room.prompt({ content: "two" }, "added", null);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await room.stopTurn()).toEqual({ ok: true, value: true });
    expect((await first).ok && (await second).ok).toBe(true);
    const ends = world.events.flatMap((event) => (event.type === "turn-ended" ? [event.status] : []));
    expect(ends).toEqual(["cancelled", "ok"]);
    expect(await room.stopTurn()).toEqual({ ok: true, value: false });
  });
});

describe("a series of prompts", () => {
  const attack = { module: "m", prompt: "p" };
  /** A room whose endpoint is slower than the microtasks of a test, with what its series reported. */
  const aReportingRoom = (onTurn: (room: SessionRoom) => void = () => undefined) => {
    const reported: (string | null)[] = [];
    const { promise: ended, resolve } = Promise.withResolvers<undefined>();
    const { room, world } = aRoom(async () => {
      await new Promise((answer) => setTimeout(answer, 1));
      return says("Hello");
    });
    world.reportTurns = () => ({
      add: (messages) => {
        reported.push(...messages.map(({ content }) => content));
        onTurn(room);
      },
      end: async () => {
        reported.push(null);
        resolve(undefined);
      },
    });
    return { room, series: new TurnSeries(world, room), reported, ended };
  };

  it("runs as turns of their own, one after another, and finds a place in a full queue", async () => {
    // Whenever a place is free, somebody takes it before the series.
    const late: Promise<unknown>[] = [];
    const { room, series, reported, ended } = aReportingRoom((full) => {
      for (const content of ["late", "later"]) late.push(full.prompt({ content }, "added", null));
    });
    expect(await series.start({ contents: ["a", "b", "c"], attack, key: null })).toEqual({ ok: true, value: null });
    const others = Array.from({ length: 16 }, (_, n) => room.prompt({ content: `p${n}` }, "added", null));
    expect(await room.prompt({ content: "too many" }, "added", null)).toMatchObject({
      failure: { reason: "turn-queue-full" },
    });
    await ended;
    await Promise.all([...others, ...late]);
    expect(reported).toEqual(["a", "Hello", "b", "Hello", "c", "Hello", null]);
    expect(contents(room)).toContain("p15");
  });

  it("does not begin when the queue is full or the session has ended", async () => {
    const { room, series } = aReportingRoom();
    const others = Array.from({ length: 17 }, (_, n) => room.prompt({ content: `p${n}` }, "added", null));
    const params = { contents: ["a"], attack, key: null };
    expect(await series.start(params)).toMatchObject({ failure: { reason: "turn-queue-full" } });
    await Promise.all(others);
    await room.end("added");
    expect(await series.start(params)).toMatchObject({ failure: { reason: "session-not-active" } });
  });

  it.each([
    ["cancel", (room: SessionRoom) => room.cancel()],
    ["end", (room: SessionRoom) => room.end("added")],
    ["remove", (room: SessionRoom) => room.remove()],
  ])("ends with %s, and reports that", async (_, stop) => {
    const { room, series, reported, ended } = aReportingRoom();
    await series.start({ contents: ["a", "b", "c"], attack, key: null });
    await stop(room);
    await ended;
    expect(reported.at(-1)).toBeNull();
    expect(reported).not.toContain("b");
  });
});

describe("amend, end and remove", () => {
  it("changes what is given, ends once, and takes messages again after a return to ACTIVE", async () => {
    const { room, world } = aRoom();
    expect(await room.amend({ title: "Trip" }, "added")).toMatchObject({ value: { session: { title: "Trip" } } });
    expect(await room.end("added")).toMatchObject({ value: { session: { status: "COMPLETED" } } });
    expect(world.closed.map(({ code }) => code)).toEqual([1000]);
    expect(await room.end("added")).toMatchObject({ failure: { reason: "session-not-active" } });
    await room.amend({ status: "ACTIVE" }, "added");
    expect((await room.append(user("again"), null)).ok).toBe(true);
  });

  it("removes the session from the object and from D1", async () => {
    const { room, world } = aRoom();
    await room.append(user("one"), null);
    expect(await room.remove()).toEqual({ ok: true, value: null });
    expect([world.stored, world.log.state]).toEqual([null, null]);
    expect(await room.append(user("two"), null)).toMatchObject({ failure: { reason: "session-not-active" } });
  });

  it("changes an ended session in D1 without loading it", async () => {
    const { room, world } = aRoom(undefined, { status: "COMPLETED", endTime: 5 });
    await room.amend({ title: "Trip" }, "added");
    expect([world.stored?.title, world.log.state]).toEqual(["Trip", null]);
  });

  it("starts a scheduled session when its time has come", async () => {
    const { room, world } = aRoom(undefined, { status: "SCHEDULED", dueAt: 2_000 });
    expect(await room.append(user("early"), null)).toMatchObject({ failure: { reason: "session-not-active" } });
    world.now = 3_000;
    await room.runDueWork();
    expect((await room.append(user("now"), null)).ok).toBe(true);
  });
});

const caller = (role: Caller["role"]): Caller => ({ role, id: "ada", keyId: null, clientId: null, expiresAt: null });

describe("frames", () => {
  const append = (role: "user" | "assistant", id = "1") => ({
    type: "message-append" as const,
    id,
    role,
    content: "Hi",
  });
  const run = (room: SessionRoom, frame: Parameters<typeof runFrame>[1], role: Caller["role"] = "service") =>
    runFrame(room, frame, caller(role), "chatbot", () => undefined);

  it("get the same answer when they are sent again, whatever the session's status is by then", async () => {
    const { room } = aRoom();
    const first = await run(room, append("user"));
    await room.end("added");
    expect(await run(room, append("user"))).toEqual(first);
    expect(await run(room, append("user", "2"))).toMatchObject({ type: "failure", code: "session_not_active" });
  });

  it("append for a client only what its user says, and nothing to a comparison", async () => {
    const { room } = aRoom();
    expect(await run(room, append("assistant"), "client")).toMatchObject({ code: "forbidden" });
    expect(await run(room, append("user"), "client")).toMatchObject({ type: "ack" });
    const comparison = await runFrame(room, append("user", "3"), caller("service"), "comparison", () => undefined);
    expect(comparison).toMatchObject({ code: "not_supported" });
  });

  it.each(["end", "remove", "amend"] as const)(
    "get a failure for each prompt that waits when the session ends, before the sockets close (%s)",
    async (command) => {
      const { room, world } = aRoom(() => new Promise(() => undefined));
      const order: string[] = [];
      world.closeSubscriptions = ({ reason }) => void order.push(reason);
      const submit = (id: string) => {
        const frame = { type: "prompt-submit" as const, id, content: "Hi" };
        return runFrame(room, frame, caller("service"), "chatbot", (event) => {
          order.push(event.type === "failure" ? `${event.id} ${event.code}` : event.type);
        });
      };
      for (const id of ["runs", "waits", "waits too"]) expect(await submit(id)).toMatchObject({ type: "ack" });
      if (command === "amend") await room.amend({ status: "TERMINATED" }, "added");
      else if (command === "end") await room.end("added");
      else await room.remove();
      const reason = command === "remove" ? "session deleted" : "session ended";
      expect(order).toEqual(["waits session_not_active", "waits too session_not_active", reason]);
      if (command === "remove") return;
      await room.amend({ status: "ACTIVE" }, "added");
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(world.log.messages(0, 10).items.filter(({ role }) => role === "user")).toHaveLength(1);
    },
  );

  it("cancel a chat that exists, and name one that does not", async () => {
    const { room } = aRoom();
    const cancel = { type: "turn-cancel" as const, id: "1" };
    expect(await run(room, cancel)).toEqual({ type: "ack", id: "1", turnId: null });
    expect(await run(room, { ...cancel, chatId: "other" })).toMatchObject({ code: "chat_not_found" });
  });
});

describe("recovery", () => {
  it("closes a turn that was interrupted, with the text that was saved", async () => {
    const { room, world } = aRoom();
    await room.append(user("one"), null);
    world.log.startTurn("turn", { chatIds: [world.id] }, 1);
    world.log.saveDrafts(new Map([[world.id, "Hel"]]));
    new SessionRoom(world).recover();
    const page = room.page(0, 100, "all");
    expect(page.ok && page.value?.items.at(-1)).toMatchObject({
      content: "Hel",
      turnNumber: 1,
      reply: { status: "error", finishReason: "interrupted" },
    });
    expect(world.events.at(-1)).toEqual({ type: "turn-ended", turnId: "turn", status: "error" });
  });
});
