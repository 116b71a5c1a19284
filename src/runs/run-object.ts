/**
 * The Durable Object of a run: a shell that connects its storage and its engine to RPC and the alarm. Its id is in the row
 * of the run in D1.
 *
 * This folder runs data sets: `run-engine.ts` puts items to endpoints, `run-storage.ts` and `run-results.ts` are the
 * object's SQLite, `run-progress.ts` informs followers, `run-client.ts` is the way in. Sessions do not belong here: a run
 * uses them as any caller does. Effects: storage, the alarm, D1, and calls to session objects.
 */
import { DurableObject } from "cloudflare:workers";
import { rootCause } from "../core/failure.ts";
import { showFigures } from "../core/run-figures.ts";
import type { RunStatus } from "../core/run.ts";
import { now } from "../core/time.ts";
import { sessionStub } from "../live/session-client.ts";
import { database } from "../store/database.ts";
import { createRunSession, findRunOfObject, someSessionsOfRun, updateRun } from "../store/runs.ts";
import { askSession } from "./ask-session.ts";
import { settingsOf } from "./run-calls.ts";
import type * as calls from "./run-calls.ts";
import { RunEngine } from "./run-engine.ts";
import type { WaveEnd } from "./run-engine.ts";
import { AnswerRate, RunFollowers } from "./run-progress.ts";
import type { ShownProgress } from "./run-progress.ts";
import { RunResults } from "./run-results.ts";
import { RunStorage } from "./run-storage.ts";

/** When to look whether a run that is being made was made, in milliseconds, and when to give it up. */
const DRAFT_CHECK_MS = 60_000;
const DRAFT_MS = 3_600_000;

/** The pause after a wave that failed, in milliseconds; it doubles up to the longest. */
const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;

/** After so many waves in a row that fail without an answer, which take half an hour, the run has failed. */
const MAX_FAILURES = 35;

/** How old the progress in lists may be, in milliseconds: each write is one of D1. */
const LISTED_MS = 10_000;

/** Sessions that are deleted in one invocation. */
const REMOVED_AT_ONCE = 200;

export class RunObject extends DurableObject<Env> {
  #storage = new RunStorage(this.ctx.storage);
  readonly #rate = new AnswerRate();
  readonly #followers = new RunFollowers(
    () => this.#shownProgress(),
    () => this.#isOver,
  );
  readonly #engine = new RunEngine({
    storage: this.#storage,
    clock: now,
    createSession: (...session) => createRunSession(database(this.env.DB), ...session),
    ask: (...question) => askSession(this.env, (work) => this.ctx.waitUntil(work), ...question),
    removeSession: async (id) => void (await sessionStub(this.env, id).remove()),
    onProgress: () => this.#onProgress(),
  });
  #listedAt = 0;
  /** Whether turns may be in flight. */
  #isInWave = false;

  // The commands by RPC. Each takes at most one object, and only gets optional fields: another release may call.

  /** Begins to make a run, which lists do not show before {@link start}. */
  async begin(): Promise<void> {
    this.#storage.begin(now() + DRAFT_MS);
    await this.ctx.storage.setAlarm(now() + DRAFT_CHECK_MS);
  }
  async addItems({ items }: calls.AddItemsParams): Promise<void> {
    this.#storage.addItems(items);
  }
  async setPlan({ plan }: calls.PlanParams): Promise<void> {
    this.#storage.setPlan(plan);
  }
  /** Gives up a run that is being made. */
  async discard(): Promise<void> {
    if (this.#storage.state?.status === "draft") await this.#clear();
  }
  async start({ runId }: calls.StartParams): Promise<void> {
    if (this.#storage.state?.status !== "draft") return;
    this.#storage.update({ runId, status: "running" });
    await this.ctx.storage.setAlarm(now());
  }
  /** Also of a run whose row is there and that starts at any moment. */
  async read(): Promise<calls.RunSnapshot | null> {
    const shown = this.#shownProgress() ?? this.#startingProgress();
    if (!shown) return null;
    const { plan, loadedState } = this.#storage;
    const { name, endpoints, repeat, createdAt } = plan;
    const results = loadedState.figures.map((figures, index) => ({
      endpoint: endpoints[index] ?? "",
      figures: showFigures(figures, repeat),
    }));
    const settings = settingsOf(plan);
    return { id: loadedState.runId ?? "", name, endpoints, repeat, createdAt, ...shown, settings, results };
  }
  /** A run that has ended is not paused, and one that is complete does not go on. */
  async changeStatus({ to }: calls.ChangeStatusParams): Promise<void> {
    const status = this.#shownProgress()?.status;
    if (status === undefined) return;
    const isOpen = status === "running" || status === "paused";
    const changes = to === "running" ? status !== "completed" && status !== "running" : isOpen && status !== to;
    if (changes) await this.#setStatus(to);
  }
  /** Asks again for what failed, and only for that. A run that is paused stays so. */
  async retryErrors(): Promise<void> {
    const status = this.#shownProgress()?.status;
    // A run that is being deleted stays so.
    if (status === undefined || !this.#storage.reopenFailed()) return;
    if (status !== "running" && status !== "paused") await this.#setStatus("running");
  }
  async results({ filter, limit, skip }: calls.ResultsParams): Promise<calls.ResultsPage> {
    return this.#reader.page(filter, limit, skip);
  }
  async export({ from }: calls.ExportParams) {
    return this.#reader.exportFrom(from);
  }
  /** Follows the run as server-sent events, for a minute at most; `null` if it or the caller has too many. */
  async follow({ caller = "" }: calls.FollowParams = {}): Promise<ReadableStream<Uint8Array> | null> {
    await this.#followers.removeLostReaders(caller);
    return this.#followers.hasRoomFor(caller) ? this.#followers.open(caller) : null;
  }
  /** Ends the run, and deletes its sessions and then itself. */
  async remove(): Promise<void> {
    if (!this.#storage.state) return;
    this.#storage.update({ status: "removed" });
    this.#followers.end();
    await this.ctx.storage.setAlarm(now());
  }

  override async alarm(): Promise<void> {
    const { state } = this.#storage;
    if (state?.status === "draft") await this.#checkDraft();
    else if (state?.status === "removed") await this.#removeSessions();
    else if (state?.status === "running") await this.#runWave();
    // Turns that were in flight when it was paused or ended have changed its progress since.
    else if (state) await this.#writeListed();
  }

  get #reader(): RunResults {
    return new RunResults(this.ctx.storage.sql, this.#storage.plan, this.#storage.counts);
  }

  #shownProgress(): ShownProgress | null {
    const { state } = this.#storage;
    if (!state || state.status === "draft" || state.status === "removed") return null;
    const { status, progress } = state;
    return { status, progress, etaSeconds: status === "running" ? this.#rate.etaSeconds(progress) : null };
  }

  /** Whether no answer comes any more, unless somebody resumes the run. */
  get #isOver(): boolean {
    const status = this.#shownProgress()?.status;
    return !this.#isInWave && status !== "running" && status !== "paused";
  }

  #startingProgress(): ShownProgress | null {
    const { state, isPlanned } = this.#storage;
    if (state?.status !== "draft" || !isPlanned) return null;
    return { status: "running", progress: state.progress, etaSeconds: null };
  }

  async #runWave(): Promise<void> {
    // If the object stops during the wave, the alarm is there. Otherwise it runs after this one.
    await this.ctx.storage.setAlarm(now() + MIN_PAUSE_MS);
    const { done } = this.#storage.loadedState.progress;
    this.#rate.add(done, now());
    const end = await this.#askWave();
    if (this.#storage.state?.status !== "running") return;
    if (end === "over") return this.#setStatus("completed");
    const { progress, failures: before = 0 } = this.#storage.loadedState;
    const hasAdvanced = progress.done > done;
    const failures = end === "trouble" && !hasAdvanced ? before + 1 : 0;
    if (failures !== before) this.#storage.update({ failures });
    if (failures >= MAX_FAILURES) return this.#setStatus("failed");
    const pauseMs = end === "trouble" ? Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** failures) : 0;
    await this.ctx.storage.setAlarm(now() + pauseMs);
  }

  async #askWave(): Promise<WaveEnd> {
    this.#isInWave = true;
    const end = await this.#engine.runWave().finally(() => {
      this.#isInWave = false;
    });
    if (this.#isOver) this.#followers.end();
    return end;
  }

  async #setStatus(status: RunStatus): Promise<void> {
    this.#storage.update({ status });
    if (status === "running") this.#storage.update({ failures: 0 });
    if (status === "running") this.#rate.reset();
    if (status === "running") await this.ctx.storage.setAlarm(now());
    if (this.#isOver) this.#followers.end();
    else this.#followers.send();
    await this.#writeListed();
  }

  #onProgress(): void {
    this.#rate.add(this.#storage.loadedState.progress.done, now());
    this.#followers.send();
    if (now() - this.#listedAt >= LISTED_MS) this.ctx.waitUntil(this.#writeListed());
  }

  /** Writes what lists show. They show it late when D1 is down. */
  async #writeListed(): Promise<void> {
    this.#listedAt = now();
    const shown = this.#shownProgress();
    if (!shown) return;
    const { done, errors } = shown.progress;
    const written = updateRun(database(this.env.DB), this.ctx.id.toString(), { status: shown.status, done, errors });
    await written.catch((error: unknown) => console.error({ event: "run-not-listed", error: rootCause(error) }));
  }

  /** Whoever made the run may have stopped between its row and its start. */
  async #checkDraft(): Promise<void> {
    const run = await findRunOfObject(database(this.env.DB), this.ctx.id.toString());
    if (run) return this.start({ runId: run.id });
    if (now() >= this.#storage.loadedState.draftUntil) return this.#clear();
    await this.ctx.storage.setAlarm(now() + DRAFT_CHECK_MS);
  }

  async #removeSessions(): Promise<void> {
    await this.ctx.storage.setAlarm(now() + MIN_PAUSE_MS);
    const { runId } = this.#storage.loadedState;
    const ids = await someSessionsOfRun(database(this.env.DB), runId ?? "", REMOVED_AT_ONCE);
    await Promise.all(ids.map((id) => sessionStub(this.env, id).remove()));
    if (ids.length === 0) return this.#clear();
    await this.ctx.storage.setAlarm(now());
  }

  async #clear(): Promise<void> {
    this.#storage.forget();
    await this.ctx.storage.deleteAll();
  }
}
