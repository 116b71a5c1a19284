/** Runs jobs one at a time, in order of arrival. */
export class TaskQueue {
  readonly #waiting: (() => Promise<void>)[] = [];
  #running = false;

  /** How many jobs wait beside the one that runs. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The job's outcome, once its turn has come. */
  run<T>(task: () => Promise<T>): Promise<T> {
    return this.#add(task, (start) => this.#waiting.push(start));
  }

  /** Like {@link run}, before all that wait. */
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
