/**
 * The Durable Object of a session: a shell that connects the room to RPC, sockets, hibernation and the alarm. Its name
 * is the session's id. Rules do not belong here: commands are in `session-room.ts`.
 *
 * `live/` is a session while it is in use. `session-client.ts` and `read-session.ts` are its entry points for the
 * Worker. `turns/` runs prompts, `streaming/` sends events and reads frames, `replication/` copies the log to D1, and
 * `log/` is the object's SQLite. Effects: storage, sockets, the alarm, D1 and calls to providers.
 */
import { DurableObject } from "cloudflare:workers";
import { dependsOn } from "../core/caller.ts";
import type { Session } from "../core/session.ts";
import type { TurnSeriesReport } from "../core/turn.ts";
import { runFrame } from "./frame-commands.ts";
import { passBatch, passResult } from "./passed-messages.ts";
import { sessionParts } from "./session-parts.ts";
import type * as results from "./session-results.ts";
import { answerClose } from "./streaming/sockets.ts";
import { subscriptionOf } from "./streaming/subscription.ts";
import type { StreamSubscription } from "./streaming/subscription.ts";

export abstract class SessionObject extends DurableObject<Env> {
  /** Presents a session, without its messages, in the form of its dialect. */
  protected abstract readonly present: (session: Session) => Record<string, unknown>;

  /** Begins to report a series of turns of a session, in the form of a dialect. */
  protected abstract readonly reportTurns: (session: Session) => TurnSeriesReport;

  readonly #parts = sessionParts(this.ctx, this.env, {
    present: (session) => this.present(session),
    reportTurns: (session) => this.reportTurns(session),
  });

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#parts.room.recover();
  }

  // The commands by RPC. RPC can only call methods of the prototype, and it copies what they return. Each takes at most
  // one object, because Workers of the last release call it, and this Worker calls objects of the last release: a method
  // only gets optional fields, and what it returns only grows.

  async read({ history, options, inColumns }: results.ReadParams) {
    return passResult(this.#parts.room.read(history, options), inColumns);
  }
  async page({ after, limit, which, filter, inColumns }: results.PageParams) {
    const { room, log } = this.#parts;
    const tree = filter?.withTree && log.state ? log.places.shape : null;
    return passBatch(room.page(after, limit, which, filter), inColumns, tree);
  }
  async append({ input, history, key, by, expectedSeq, inColumns }: results.AppendParams) {
    return passResult(await this.#parts.room.appendAndShow(input, history, key, { by, expectedSeq }), inColumns);
  }
  async prompt({ content, history, key, options, expectedSeq, inColumns }: results.PromptParams) {
    return passResult(await this.#parts.room.prompt(asked(content, expectedSeq), history, key, options), inColumns);
  }
  async startSeries(params: results.TurnSeriesParams) {
    return this.#parts.series.start(params);
  }
  async promptAndFollow({ content, expectedSeq, ...params }: results.TurnStreamParams) {
    return this.#parts.subscriptions.openTurnStream({ ...params, question: asked(content, expectedSeq) });
  }
  async vary({ question, history, key, inColumns }: results.VaryParams) {
    return passResult(await this.#parts.room.prompt(question, history, key), inColumns);
  }
  async varyAndFollow(params: results.VariantStreamParams) {
    return this.#parts.subscriptions.openTurnStream(params);
  }
  async replayConversation({ range, history, options, inColumns }: results.ReplayParams) {
    return passResult(await this.#parts.room.replays.run(range, history, options), inColumns);
  }
  async replayAndFollow(params: results.ReplayStreamParams) {
    return this.#parts.subscriptions.openReplayStream(params);
  }
  async adopt(params: results.AdoptParams) {
    return this.#parts.room.adopt(params);
  }
  async activate({ seq }: results.ActivateParams) {
    return this.#parts.room.activate(seq);
  }
  async hideTurn({ turnId }: results.TurnParams) {
    return this.#parts.room.prompts.hide(turnId);
  }
  async follow(reading: StreamSubscription) {
    return this.#parts.subscriptions.openStream(reading);
  }
  async unfollow({ readerId }: { readerId: string }): Promise<void> {
    this.#parts.subscriptions.closeReader(readerId);
  }
  async turn({ turnId }: results.TurnParams) {
    return this.#parts.room.prompts.turn(turnId);
  }
  async stop({ turnId }: results.StopParams = {}) {
    const { room } = this.#parts;
    return turnId === undefined ? room.stopTurn() : room.prompts.stop(turnId);
  }
  async cancel() {
    return this.#parts.room.cancel();
  }
  async amend({ changes, history, inColumns }: results.AmendParams) {
    return passResult(await this.#parts.room.amend(changes, history), inColumns);
  }
  async end({ history, isRetry, inColumns }: results.EndParams) {
    return passResult(await this.#parts.room.end(history, isRetry), inColumns);
  }
  async requestHuman({ reason }: results.RequestHumanParams) {
    return this.#parts.room.requestHuman(reason);
  }
  async takeOver(params: results.TakeOverParams) {
    return this.#parts.room.takeOver(params);
  }
  async handBack({ note }: results.HandBackParams) {
    return this.#parts.room.handBack(note);
  }
  async remove({ isRetry }: results.RetryParams = {}) {
    return this.#parts.room.remove(isRetry);
  }
  /** Loads a `SCHEDULED` session, so that the alarm starts it on time. */
  async schedule(): Promise<void> {
    await this.#parts.room.load();
    await this.#parts.scheduleAlarm();
  }
  /** Replicates everything that D1 does not have yet. */
  async catchUp(): Promise<void> {
    if (this.#parts.log.state) await this.#parts.replicator.retry();
  }
  /** Moves the log into the archive, unless the session is in use or was changed since. @returns whether it did */
  async archive({ unchangedSince }: results.ArchiveParams) {
    await this.catchUp();
    return this.#parts.room.archive(unchangedSince);
  }
  /** Closes the subscriptions of callers whose API key was revoked or whose client was deleted, by `revocableId`. */
  async dismiss({ keyId }: { keyId: string }): Promise<void> {
    this.#parts.subscribers.closeRevoked((caller) => dependsOn(caller, keyId));
  }

  override async alarm(): Promise<void> {
    this.#parts.subscribers.sockets.closeExpired();
    await this.#parts.room.runDueWork();
    if (this.#parts.log.state?.removed === false) await this.#parts.replicator.retry();
    await this.#parts.endAlarm();
  }

  /**
   * Opens a socket for an authenticated caller. 404 if the session does not exist, 429 if it has too many subscribers.
   */
  override async fetch(request: Request): Promise<Response> {
    return this.#parts.subscriptions.openSocket(subscriptionOf(request), (at) => this.#parts.scheduleAlarm(at));
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    const { room, log, subscribers } = this.#parts;
    const { sockets } = subscribers;
    const frame = sockets.read(socket, data);
    if (!frame) return;
    const kind = log.state?.session.kind ?? null;
    const send = sockets.send.bind(sockets, socket);
    send(await runFrame(room, frame, sockets.callerOf(socket), kind, send));
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    answerClose(socket, code);
  }
}

const asked = (content: string, expectedSeq: number | undefined): results.Question =>
  expectedSeq === undefined ? { content } : { content, expectedSeq };
