/**
 * Random conversations with variants, against a model of their tree: what is shown, what the model gets, what followers
 * see, also after a restart. `OPERATIONS` is how many operations to run in all.
 */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { isOnPath } from "../../../src/core/message-tree.ts";
import type { Session } from "../../../src/core/session.ts";
import { Log } from "../../../src/live/log/log.ts";
import { SessionRoom } from "../../../src/live/session-room.ts";
import type { SessionEvent } from "../../../src/live/streaming/events.ts";
import type { Replay } from "../../../src/live/streaming/event-stream.ts";
import { aChatSession, aWorld, fails, says } from "../../support/session-world.ts";
import type { TestWorld } from "../../support/session-world.ts";

const OPERATIONS = Number(process.env["OPERATIONS"] ?? 2_000);
/** So few that the model gets the whole conversation. */
const PER_RUN = 24;

/** A message of the model. Only those with text are followed. */
interface Node {
  seq: number;
  parent: number;
  role: "user" | "assistant";
  text: string;
  /** The prompt that a reply answers. */
  prompt?: number;
}

/** Between messages of one role, which are sent as one. */
const BETWEEN = "\n\n";

/** What a session with variants is: a list of messages with parents, and the end of the active path. */
class Model {
  readonly nodes: Node[] = [];
  leaf = 0;

  add(node: Omit<Node, "seq">): Node {
    const added = { ...node, seq: this.nodes.length + 1 };
    this.nodes.push(added);
    if (added.text !== "") this.leaf = added.seq;
    return added;
  }

  path(seq: number): Node[] {
    const node = this.nodes[seq - 1];
    return node ? [...this.path(node.parent), node] : [];
  }

  /** @returns what the model must have been sent */
  ask(prompt: Node, parent: number, reply: string): string {
    const sent = [...this.path(prompt.parent), prompt].map(({ text }) => text).join(BETWEEN);
    this.add({ parent, role: "assistant", text: reply, prompt: prompt.seq });
    return sent;
  }

  activate(seq: number): void {
    const isUnder = (at: number): boolean => at >= seq && (at === seq || isUnder(this.nodes[at - 1]?.parent ?? 0));
    this.leaf = this.nodes.findLast((node) => node.text !== "" && isUnder(node.seq))?.seq ?? seq;
  }
}

const operation = fc.record({
  kind: fc.constantFrom("append", "chat", "regenerate", "edit", "activate", "branch", "restart", "resume"),
  at: fc.nat(),
  reply: fc.constantFrom("text", "text", "nothing", "failure"),
});
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

class Conversation {
  readonly model = new Model();
  readonly world: TestWorld;
  room: SessionRoom;
  #reply = "";
  #sent = "";
  #count = 0;

  constructor() {
    this.world = aWorld(aChatSession(), ({ request }) => {
      this.#sent = request.messages.map(({ content }) => content).join(BETWEEN);
      return this.#reply === "" ? fails("No") : says(this.#reply);
    });
    this.room = new SessionRoom(this.world);
  }

  async run({ kind, at, reply }: Operation): Promise<void> {
    this.#count += 1;
    this.#reply = reply === "text" ? `reply ${this.#count}` : "";
    const { nodes } = this.model;
    const node = nodes[at % Math.max(nodes.length, 1)];
    const run: Record<Operation["kind"], () => unknown> = {
      append: () => this.#append(),
      chat: () => this.#chat(),
      regenerate: () => node && this.#regenerate(node),
      edit: () => node && this.#edit(node),
      activate: () => node && this.#activate(node),
      branch: () => node && this.#branch(node),
      restart: () => this.#restart(),
      resume: () => this.#resume(at % (nodes.length + 1)),
    };
    await run[kind]();
    this.#check();
  }

  #restart(): void {
    this.world.log = new Log(this.world.storage);
    this.room = new SessionRoom(this.world);
    this.room.recover();
  }

  async #append(): Promise<void> {
    const content = `message ${this.#count}`;
    this.model.add({ parent: this.model.leaf, role: "user", text: content });
    await this.room.append({ role: "user", content, createdAt: null }, null);
  }

  async #chat(): Promise<void> {
    const prompt = this.model.add({ parent: this.model.leaf, role: "user", text: `prompt ${this.#count}` });
    const sent = this.model.ask(prompt, prompt.seq, this.#reply);
    await this.room.prompt({ content: prompt.text }, "added", null);
    expect(this.#sent).toEqual(sent);
  }

  async #regenerate({ seq, prompt, parent }: Node): Promise<void> {
    const asked = this.model.nodes[(prompt ?? 0) - 1];
    const sent = asked && this.model.ask(asked, parent, this.#reply);
    const result = await this.room.prompt({ regeneratedSeq: seq }, "added", null);
    if (sent !== undefined) expect(this.#sent).toEqual(sent);
    else expect(result).toMatchObject({ failure: { reason: "nothing-to-answer" } });
  }

  async #edit({ seq, role, parent }: Node): Promise<void> {
    const content = `edit ${this.#count}`;
    if (role === "user") {
      const prompt = this.model.add({ parent, role: "user", text: content });
      const sent = this.model.ask(prompt, prompt.seq, this.#reply);
      await this.room.prompt({ editedSeq: seq, content }, "added", null);
      expect(this.#sent).toEqual(sent);
    } else
      expect(await this.room.prompt({ editedSeq: seq, content }, "added", null)).toMatchObject({
        failure: { reason: "nothing-to-edit" },
      });
  }

  async #activate({ seq, text }: Node): Promise<void> {
    const result = await this.room.activate(seq);
    if (text === "") return expect(result).toMatchObject({ failure: { reason: "nothing-to-show" } });
    this.model.activate(seq);
    expect(result).toEqual({ ok: true, value: this.model.path(this.model.leaf).map((node) => node.seq) });
  }

  /** What a branch copies. */
  #branch({ seq, text }: Node): void {
    if (text === "") return;
    const path = this.world.log.places.tree.pathTo(seq);
    const copied = this.world.log.messages(0, 1_000).items.filter((message) => isOnPath(path, message.seq));
    expect(copied.map(({ content }) => content)).toEqual(this.model.path(seq).map((node) => node.text));
  }

  /** What a reader who has all up to a message gets is what it would have got live, and leads to the active path. */
  #resume(after: number): void {
    const events = eventsOf(this.room.replay(after));
    const { nodes, leaf } = this.model;
    const seqs = events.flatMap((event) => (event.type === "message-appended" ? [event.seq] : []));
    expect(seqs).toEqual(nodes.slice(after).map(({ seq }) => seq));
    const known = this.model.path(nodes.slice(0, after).findLast(({ text }) => text !== "")?.seq ?? 0);
    const parents = events.flatMap((event) => (event.type === "message-appended" ? [event.parentSeq ?? 0] : []));
    expect(parents).toEqual(nodes.slice(after).map(({ parent }) => parent));
    const path = events.reduce(
      follow,
      known.map(({ seq }) => seq),
    );
    expect(path).toEqual(this.model.path(leaf).map(({ seq }) => seq));
  }

  #check(): void {
    const { log } = this.world;
    if (!log.state) return;
    const path = this.model.path(this.model.leaf);
    const shown = log.shownMessages(0, 1_000).items;
    expect(shown.map(({ seq, content }) => [seq, content])).toEqual(path.map(({ seq, text }) => [seq, text]));
    const session: Session = log.loadedState.session;
    expect([session.messageCount, session.lastSeq]).toEqual([path.length, this.model.nodes.length]);
  }
}

/** What a follower takes for the active path. */
function follow(path: number[], event: SessionEvent): number[] {
  if (event.type === "path-changed") return event.seqs;
  if (event.type !== "message-appended" || event.content === "") return path;
  return (event.parentSeq ?? 0) === (path.at(-1) ?? 0) ? [...path, event.seq] : path;
}

function eventsOf(replay: Replay): SessionEvent[] {
  const events: SessionEvent[] = [];
  for (let step = replay.next(); ; step = replay.next()) {
    events.push(...(step.value as SessionEvent[]));
    if (step.done) return events;
  }
}

it("agree with the model", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: PER_RUN, maxLength: PER_RUN }), async (operations) => {
      const conversation = new Conversation();
      await conversation.room.load();
      for (const one of operations) await conversation.run(one);
    }),
    { numRuns: Math.ceil(OPERATIONS / PER_RUN) },
  );
});
