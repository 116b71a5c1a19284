/**
 * Runs asynchronous tasks one at a time, in order of arrival. What the tasks do does not belong here. Pure, with state
 * in memory.
 */
export class TaskQueue {
  readonly #waiting: (() => Promise<void>)[] = [];
  #running = false;

  /** The number of waiting tasks, without the running one. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Adds a task to the end of the queue. Resolves or rejects with its outcome. */
  run<T>(task: () => Promise<T>): Promise<T> {
    return this.#add(task, (start) => this.#waiting.push(start));
  }

  /** Like {@link run}, but ahead of all waiting tasks. */
  runFirst<T>(task: () => Promise<T>): Promise<T> {
    return this.#add(task, (start) => this.#waiting.unshift(start));
  }

  #add<T>(task: () => Promise<T>, enqueue: (start: () => Promise<void>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      enqueue(() => task().then(resolve, reject));
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) await next();
    this.#running = false;
  }
}
