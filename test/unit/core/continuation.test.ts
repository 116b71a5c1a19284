/**
 * What a conversation adds to a session, for clients that send all of it. Random histories are played against a small model
 * of a client and of a session that keeps every variant.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { continuationOf } from "../../../src/core/continuation.ts";
import type { Continuation, PathMessage } from "../../../src/core/continuation.ts";
import type { ModelMessage } from "../../../src/core/reply.ts";

const user = (content: string): ModelMessage => ({ role: "user", content });
const assistant = (content: string): ModelMessage => ({ role: "assistant", content });
const system = (content: string): ModelMessage => ({ role: "system", content });

/** A path of messages, numbered from 1. */
const pathOf = (...messages: ModelMessage[]): PathMessage[] =>
  messages.map((message, index) => ({ ...message, seq: index + 1, isCut: false }));

const again = (seq: number, prompt: string): Continuation => ({ kind: "again", seq, prompt });
const added = (prompt: string, replacedSeq: number | null = null, ...before: ModelMessage[]): Continuation => ({
  kind: "new",
  replacedSeq,
  added: before,
  prompt,
});

const path = pathOf(user("1"), assistant("one"), user("2"), assistant("two"));

describe("a conversation", () => {
  it.each<[string, ModelMessage[], PathMessage[], Continuation | null]>([
    ["of a new session", [user("1")], [], added("1")],
    ["with one new message", [user("1"), assistant("one"), user("2")], path.slice(0, 2), added("2")],
    ["with an edited last message", [user("1"), assistant("one"), user("zwei")], path, added("zwei", 3)],
    ["with an edited first message", [user("eins")], path, added("eins", 1)],
    ["that ends at an answered message", [user("1"), assistant("one"), user("2")], path, again(3, "2")],
    ["that ends at an earlier answered message", [user("1")], path, again(1, "1")],
    ["that ends at the last message, unanswered", [user("1")], path.slice(0, 1), again(1, "1")],
    ["that ends at an answer", [user("1"), assistant("one")], path, null],
    ["without a user message", [system("x")], path, null],
    ["without any message", [], path, null],
    [
      "with several new messages",
      [user("1"), assistant("one"), user("a"), assistant("b"), user("c")],
      path.slice(0, 2),
      added("c", null, user("a"), assistant("b")),
    ],
    [
      "with several new messages in the place of others",
      [user("1"), assistant("one"), user("a"), assistant("b"), user("c")],
      path,
      added("c", 3, user("a"), assistant("b")),
    ],
    ["with another answer", [user("1"), assistant("eins"), user("2")], path, added("2", 2, assistant("eins"))],
    ["with instructions", [system("x"), user("1"), assistant("one"), system("y"), user("3")], path, added("3", 3)],
    ["without the greeting", [user("1")], pathOf(assistant("Hello")), added("1")],
    ["with the greeting", [assistant("Hello"), user("1")], pathOf(assistant("Hello")), added("1")],
    ["without an answer", [user("1"), user("2"), assistant("two"), user("3")], path, added("3")],
    [
      "with an answer's beginning",
      [user("1"), assistant("on"), user("2"), assistant("t"), user("3")],
      path,
      added("3"),
    ],
    [
      "with an answer behind one of a person, which it did not get",
      [user("1"), assistant("by the model"), user("2")],
      pathOf(user("1"), assistant("by a person"), assistant("by another"), assistant("by the model")),
      added("2"),
    ],
    [
      "with another answer than those of the model and a person",
      [user("1"), assistant("by nobody"), user("2")],
      pathOf(user("1"), assistant("by the model"), assistant("by a person"), user("2")),
      added("2", 2, assistant("by nobody")),
    ],
    ["with an answer without text", [user("1"), assistant(" "), user("2")], path.slice(0, 2), added("2")],
    ["with trimmed texts", [user("1"), assistant("one\r\n"), user(" 2")], path, again(3, " 2")],
    ["with instructions on the path", [user("1"), user("2")], pathOf(user("1"), system("x")), added("2")],
  ])("%s", (_, believed, active, expected) => {
    expect(continuationOf(believed, active)).toEqual(expected);
  });

  it("may have more of a reply that was cut", () => {
    const believed = [user("1"), assistant("one two"), user("2")];
    const [prompt, reply] = pathOf(user("1"), assistant("one"));
    if (!prompt || !reply) throw new Error("A path of two");
    expect(continuationOf(believed, [prompt, { ...reply, isCut: true }])).toEqual(added("2"));
    expect(continuationOf(believed, [prompt, reply])).toEqual(added("2", 2, assistant("one two")));
  });
});

/** A session that keeps every variant, as a list of paths would: only the active one matters here. */
class Model {
  path: PathMessage[] = [];
  #lastSeq = 0;

  append(message: ModelMessage): void {
    this.path.push({ ...message, seq: ++this.#lastSeq, isCut: false });
  }

  apply(continuation: Continuation): void {
    if (continuation.kind === "again") {
      this.path = this.path.slice(0, this.path.findIndex(({ seq }) => seq === continuation.seq) + 1);
      return;
    }
    const { replacedSeq, added: before, prompt } = continuation;
    if (replacedSeq !== null)
      this.path = this.path.slice(
        0,
        this.path.findIndex(({ seq }) => seq === replacedSeq),
      );
    for (const message of [...before, user(prompt)]) this.append(message);
  }
}

/** What a client does, by numbers between 0 and 1 for its choices. */
interface Step {
  action: "say" | "say-several" | "edit" | "regenerate" | "repeat";
  choice: number;
  instructs: boolean;
  /** What the client gets of the answer: the whole of it, its beginning, nothing of it; or the turn fails. */
  answer: "whole" | "beginning" | "lost" | "failed";
}

const steps = fc.array(
  fc.record<Step>({
    action: fc.constantFrom("say", "say", "say-several", "edit", "regenerate", "repeat"),
    choice: fc.double({ min: 0, max: 0.999, noNaN: true }),
    instructs: fc.boolean(),
    answer: fc.constantFrom("whole", "whole", "beginning", "lost", "failed"),
  }),
  { minLength: 1, maxLength: 20 },
);

/** A client with its own list of messages, which knows what each of its calls must add. */
class Client {
  readonly #model: Model;
  #mine: ModelMessage[] = [];
  #counter = 0;

  constructor(model: Model) {
    this.#model = model;
  }

  step({ action, choice, instructs, answer }: Step): void {
    const prompts = this.#mine.flatMap(({ role }, index) => (role === "user" ? [index] : []));
    const expected = this.#change(action, prompts[Math.floor(choice * prompts.length)]);
    const sent = instructs ? [system("Be brief."), ...this.#mine] : this.#mine;
    expect(continuationOf(sent, this.#model.path)).toEqual(expected);
    this.#model.apply(expected);
    if (answer === "failed") return;
    const { content: text } = assistant(`answer ${++this.#counter}.`);
    this.#model.append(assistant(text));
    if (answer !== "lost") this.#mine.push(assistant(answer === "whole" ? text : text.slice(0, 8)));
  }

  /** Changes the client's list. @param index a message of the user in it @returns what that adds to the session */
  #change(action: Step["action"], index: number | undefined): Continuation {
    if (index !== undefined && action === "edit") return this.#edit(index);
    if (index !== undefined && action === "regenerate") return this.#askAgain(index);
    if (action === "repeat" && this.#mine.at(-1)?.role === "user") return this.#askAgain(this.#mine.length - 1);
    const before = action === "say-several" ? [this.#fresh(), assistant(`invented ${++this.#counter}`)] : [];
    const prompt = this.#fresh();
    this.#mine.push(...before, prompt);
    return added(prompt.content, null, ...before);
  }

  #edit(index: number): Continuation {
    const place = this.#placeOf(index);
    const edited = this.#fresh();
    this.#mine = [...this.#mine.slice(0, index), edited];
    return added(edited.content, this.#model.path[place]?.seq);
  }

  #askAgain(index: number): Continuation {
    const { seq = 0, content = "" } = this.#model.path[this.#placeOf(index)] ?? {};
    this.#mine = this.#mine.slice(0, index + 1);
    return again(seq, content);
  }

  #placeOf(index: number): number {
    const content = this.#mine[index]?.content;
    return this.#model.path.findIndex((message) => message.role === "user" && message.content === content);
  }

  #fresh(): ModelMessage {
    return user(`message ${++this.#counter}`);
  }
}

it("reads no more of the path than it takes", () => {
  let read = 0;
  function* reading() {
    for (const message of pathOf(...Array.from({ length: 1_000 }, (_, index) => user(String(index))))) {
      read += 1;
      yield message;
    }
  }
  expect(continuationOf([user("0"), user("1")], reading())).toEqual(again(2, "1"));
  expect(read).toBeLessThan(5);
});

describe("random histories", () => {
  it("agree with a model of a client and its session", () => {
    fc.assert(
      fc.property(steps, (history) => {
        const client = new Client(new Model());
        for (const step of history) client.step(step);
      }),
      { numRuns: 1_000 },
    );
  });

  it("add nothing when the same call comes twice, whatever its texts are", () => {
    const message = fc.record({
      role: fc.constantFrom("user" as const, "assistant" as const, "system" as const),
      content: fc.constantFrom("a", "b", "ab", "aba", " a", ""),
    });
    const messages = fc.array(message, { maxLength: 8 });
    fc.assert(
      fc.property(messages, messages, fc.array(fc.boolean(), { maxLength: 8 }), (active, believed, cuts) => {
        const model = new Model();
        for (const one of active) model.append(one);
        model.path = model.path.map((one, index) => ({ ...one, isCut: cuts[index] ?? false }));
        const first = continuationOf(believed, model.path);
        if (first === null) return;
        model.apply(first);
        const { seq } = model.path.findLast(({ role }) => role === "user") ?? { seq: 0 };
        expect(continuationOf(believed, model.path)).toEqual(again(seq, first.prompt));
      }),
      { numRuns: 5_000 },
    );
  });
});
