/**
 * Runs asynchronous tasks one at a time, in order of arrival. What the tasks do does not belong here. Pure, with state
 * in memory.
 */
export class TaskQueue {
  readonly #waiting: (() => Promise<void>)[] = [];
  /** Tasks that go before those. */
  readonly #first: (() => Promise<void>)[] = [];
  #running = false;

  /** The number of waiting tasks, without the running one. */
  get waiting(): number {
    return this.#first.length + this.#waiting.length;
  }

  /** Adds a task to the end of the queue. Resolves or rejects with its outcome. */
  run<T>(task: () => Promise<T>): Promise<T> {
    return this.#add(task, (start) => this.#waiting.push(start));
  }

  /** Like {@link run}, but ahead of all tasks that were added by that. */
  runFirst<T>(task: () => Promise<T>): Promise<T> {
    return this.#add(task, (start) => this.#first.push(start));
  }

  #add<T>(task: () => Promise<T>, enqueue: (start: () => Promise<void>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      enqueue(() => task().then(resolve, reject));
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let next = this.#next(); next; next = this.#next()) await next();
    this.#running = false;
  }

  #next(): (() => Promise<void>) | undefined {
    return this.#first.shift() ?? this.#waiting.shift();
  }
}
