/**
 * A comparison as the events of its session make it: its turns, and in each one the replies of all chats. It comes out the
 * same whether the events are live or repeated after a reload. No effects.
 */
import type { StreamEvent } from "../../live/streaming/events.ts";
import type { Comparison as Session } from "../../client/types.ts";
import { RECORDED_CHAT } from "../../core/bridge.ts";
import { Observable } from "../shared/observable.ts";
import { Reply, isOfReply } from "../shared/replies/reply.ts";

interface RunningTurn {
  turnId: string;
  chatIds: string[];
}

export class Turn extends Observable {
  readonly turnId: string;
  prompt: string | null = null;
  /** Of the prompt. A turn whose prompt has not come yet is after all others. */
  seq = Number.MAX_SAFE_INTEGER;
  sentAt: Date | null = null;
  readonly replies = new Map<string, Reply>();

  constructor(turnId: string) {
    super();
    this.turnId = turnId;
  }

  get isRunning(): boolean {
    return [...this.replies.values()].some(({ isRunning }) => isRunning);
  }

  reply(chatId: string): Reply {
    const known = this.replies.get(chatId);
    if (known) return known;
    const reply = new Reply();
    // Who shows the turn counts its replies.
    reply.onState = () => this.changed();
    this.replies.set(chatId, reply);
    return reply;
  }
}

export class Comparison extends Observable {
  session: Session | null = null;
  readonly turns: Turn[] = [];
  readonly #byId = new Map<string, Turn>();
  /** Of the last message: where the events go on after a lost connection. */
  lastSeq = 0;
  /** What the chats of chatbots begin with, by chat id. */
  readonly greetings = new Map<string, string>();
  /** How many turns the chat has that it was made from. */
  recordedTurns = 0;

  /** How many of them have been put, with all their answers. */
  get replayedTurns(): number {
    return this.turns.filter((turn) => turn.replies.has(RECORDED_CHAT) && !turn.isRunning).length;
  }

  apply(event: StreamEvent): void {
    if (event.type === "message-appended") this.#append(event);
    else if (event.type === "turn-started") this.#start(event);
    else if (event.type === "session-snapshot") this.#take(event.session, event.turn);
    else if (event.type === "session-updated") this.#take(event.session, null);
    else if (isOfReply(event)) this.turn(event.turnId).reply(event.chatId).apply(event);
  }

  turn(turnId: string): Turn {
    const known = this.#byId.get(turnId);
    if (known) return known;
    const turn = new Turn(turnId);
    this.#byId.set(turnId, turn);
    this.turns.push(turn);
    // The comparison changes with its turns, so that whoever shows it knows whether one runs.
    turn.subscribe(() => this.changed());
    this.changed();
    return turn;
  }

  #start({ turnId, chatIds }: RunningTurn): void {
    const turn = this.turn(turnId);
    for (const chatId of chatIds) turn.reply(chatId);
    turn.changed();
  }

  #append(event: StreamEvent & { type: "message-appended" }): void {
    this.lastSeq = Math.max(this.lastSeq, event.seq);
    if (event.turnId === undefined) return this.#appendBefore(event);
    const turn = this.turn(event.turnId);
    if (event.chatId !== null) {
      turn.reply(event.chatId).complete(event);
    } else if (event.role === "user") {
      turn.prompt = event.content;
      turn.seq = event.seq;
      // After a reload the running turn comes before the earlier ones.
      this.turns.sort((one, other) => one.seq - other.seq);
      turn.sentAt = new Date(event.timestamp);
      turn.changed();
    }
  }

  /** The log begins with greetings, and a copy of the chat that it was made from. */
  #appendBefore({ chatId, role, content }: StreamEvent & { type: "message-appended" }): void {
    const isGreeting = role === "assistant" && (chatId !== RECORDED_CHAT || this.recordedTurns === 0);
    if (chatId !== null && isGreeting) this.greetings.set(chatId, content);
    if (chatId === RECORDED_CHAT && role === "user") this.recordedTurns += 1;
    this.changed();
  }

  #take(session: Record<string, unknown>, turn: RunningTurn | null): void {
    if (turn) this.#start(turn);
    this.session = session as Session;
    this.changed();
  }
}
