/**
 * Parley with a database that is far away: each round trip to D1 takes as long as the variable `D1_DELAY_MS` says, in the Worker and
 * in its objects. Counts the round trips, which `GET /bench/round-trips` answers and sets back to zero.
 */
import worker, { SessionObject as Session } from "../../../src/index.ts";

export { EndpointObject, ReplyCaller } from "../../../src/index.ts";

type SlowEnv = Env & { D1_DELAY_MS: string };

let roundTrips = 0;

const slow = (env: SlowEnv): SlowEnv => ({ ...env, DB: slowDatabase(env.DB, Number(env.D1_DELAY_MS)) });

/** Delays what goes to D1: a statement's `run`, `all`, `first` and `raw`, and a batch. */
function slowDatabase(db: D1Database, delayMs: number): D1Database {
  const delayed = <T>(ask: () => Promise<T>): Promise<T> => {
    roundTrips++;
    return delayMs === 0 ? ask() : scheduler.wait(delayMs).then(ask);
  };
  const originals = new WeakMap<object, D1PreparedStatement>();
  const slowStatement = (statement: D1PreparedStatement): D1PreparedStatement => {
    const proxy = new Proxy(statement, {
      get(target, name) {
        if (name === "bind") return (...values: unknown[]) => slowStatement(target.bind(...values));
        const method: unknown = Reflect.get(target, name);
        return typeof method === "function"
          ? (...given: unknown[]) => delayed(() => method.apply(target, given))
          : method;
      },
    });
    originals.set(proxy, statement);
    return proxy;
  };
  const slowSession = <T extends Pick<D1Database, "prepare" | "batch">>(target: T): T =>
    new Proxy(target, {
      get(_, name) {
        if (name === "prepare") return (sql: string) => slowStatement(target.prepare(sql));
        if (name === "batch")
          return (statements: D1PreparedStatement[]) =>
            delayed(() => target.batch(statements.map((statement) => originals.get(statement) ?? statement)));
        if (name === "withSession")
          return (from: string) => slowSession((target as unknown as D1Database).withSession(from));
        const member: unknown = Reflect.get(target, name);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
  return slowSession(db);
}

export class SessionObject extends Session {
  constructor(ctx: DurableObjectState, env: SlowEnv) {
    super(ctx, slow(env));
  }
}

export default {
  fetch(request, env, ctx) {
    if (new URL(request.url).pathname !== "/bench/round-trips") return worker.fetch(request, slow(env), ctx);
    const answer = Response.json({ roundTrips });
    roundTrips = 0;
    return answer;
  },
} satisfies ExportedHandler<SlowEnv>;
