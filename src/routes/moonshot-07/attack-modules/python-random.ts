/**
 * The random numbers of Python's `random` module, so that an attack module gives what Moonshot's gives with the same seed.
 * The generator is MT19937 (Matsumoto and Nishimura, 1998); how a seed and a choice use it is CPython's `random.py`. Pure.
 */
const SIZE = 624;
const SHIFT = 397;

/** The product of two numbers, modulo 2^32. */
const multiply = (a: number, b: number): number => Math.imul(a, b) >>> 0;

export class PythonRandom {
  readonly #state = new Uint32Array(SIZE);
  #next = SIZE;

  /** @param seed a whole number from 0 */
  constructor(seed: number) {
    const key = seed < 2 ** 32 ? [seed] : [seed % 2 ** 32, Math.floor(seed / 2 ** 32)];
    this.#fill(19_650_218);
    this.#mix(Math.max(SIZE, key.length), 1_664_525, (index) => (key[index % key.length] ?? 0) + (index % key.length));
    this.#mix(SIZE - 1, 1_566_083_941, null);
    this.#state[0] = 0x80000000;
  }

  #fill(seed: number): void {
    const state = this.#state;
    state[0] = seed;
    for (let index = 1; index < SIZE; index++) {
      const last = state[index - 1] ?? 0;
      state[index] = multiply(1_812_433_253, last ^ (last >>> 30)) + index;
    }
  }

  /** Where the second pass goes on, the first one ended. */
  #position = 1;

  #mix(rounds: number, factor: number, added: ((round: number) => number) | null): void {
    const state = this.#state;
    for (let round = 0; round < rounds; round++) {
      const position = this.#position;
      const last = state[position - 1] ?? 0;
      const mixed = ((state[position] ?? 0) ^ multiply(last ^ (last >>> 30), factor)) >>> 0;
      state[position] = added ? mixed + added(round) : mixed - position;
      this.#position = position + 1;
      if (this.#position < SIZE) continue;
      state[0] = state[SIZE - 1] ?? 0;
      this.#position = 1;
    }
  }

  #twist(): void {
    const state = this.#state;
    for (let index = 0; index < SIZE; index++) {
      const bits = ((state[index] ?? 0) & 0x80000000) | ((state[(index + 1) % SIZE] ?? 0) & 0x7fffffff);
      const other = state[(index + SHIFT) % SIZE] ?? 0;
      state[index] = other ^ (bits >>> 1) ^ (bits & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }

  /** The next `count` bits, 1 to 32. */
  #bits(count: number): number {
    if (this.#next >= SIZE) this.#twist();
    let bits = this.#state[this.#next] ?? 0;
    this.#next += 1;
    bits ^= bits >>> 11;
    bits ^= (bits << 7) & 0x9d2c5680;
    bits ^= (bits << 15) & 0xefc60000;
    bits ^= bits >>> 18;
    return (bits >>> 0) >>> (32 - count);
  }

  /** A number from 0 to `limit` - 1. */
  below(limit: number): number {
    const count = 32 - Math.clz32(limit);
    let drawn = this.#bits(count);
    while (drawn >= limit) drawn = this.#bits(count);
    return drawn;
  }

  /** A number from `low` to `high`, both inclusive. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  choice<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("Nothing to choose from");
    return item;
  }

  /** So many different items, in the order in which they were drawn. */
  sample<T>(items: readonly T[], count: number): T[] {
    const pool = [...items];
    const drawn: T[] = [];
    const drawnIndexes = new Set<number>();
    const isSmall = items.length <= 21 + (count > 5 ? 4 ** Math.ceil(Math.log(count * 3) / Math.log(4)) : 0);
    for (let round = 0; round < count; round++) {
      let index = this.below(isSmall ? items.length - round : items.length);
      while (drawnIndexes.has(index)) index = this.below(items.length);
      drawn.push(pool[index] as T);
      if (isSmall) pool[index] = pool[items.length - round - 1] as T;
      else drawnIndexes.add(index);
    }
    return drawn;
  }
}
