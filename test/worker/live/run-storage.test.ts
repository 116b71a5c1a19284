/** What the storage of a run does with SQLite. In the Workers runtime, without HTTP. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { newRunObjectId } from "../../../src/runs/run-client.ts";
import { RunStorage } from "../../../src/runs/run-storage.ts";

/** A storage that counts its statements. */
function counted(storage: DurableObjectStorage) {
  const count = { statements: 0 };
  const exec: SqlStorage["exec"] = (...statement) => {
    count.statements += 1;
    return storage.sql.exec(...statement);
  };
  const sql = new Proxy(storage.sql, { get: (_, name) => (name === "exec" ? exec : undefined) });
  const transactionSync: DurableObjectStorage["transactionSync"] = (work) => storage.transactionSync(work);
  return { count, storage: new Proxy(storage, { get: (_, name) => (name === "sql" ? sql : transactionSync) }) };
}

it("500 items are written by a tenth as many statements, in their order", async () => {
  const stub = env.RUNS.get(env.RUNS.idFromString(newRunObjectId(env)));
  await runInDurableObject(stub, (_, { storage }) => {
    const { count, storage: countedStorage } = counted(storage);
    const run = new RunStorage(countedStorage);
    run.begin(0);
    count.statements = 0;
    const turns = (number: number) => (number === 7 ? ["a\0", "b", "c"] : [`prompt ${number}`]);
    const items = Array.from({ length: 500 }, (_one, number) => ({
      id: `i${number}`,
      turns: turns(number),
      expect: number === 7 ? { contains: "a" } : null,
      tags: [],
    }));
    run.addItems(items);
    expect(count.statements).toBeLessThan(50);
    run.addItems([{ id: "last", turns: ["z"], expect: null, tags: ["t"] }]);
    expect(run.loadedState).toMatchObject({ items: 501, turns: 503 });
    expect(run.item(7)).toEqual({ number: 7, id: "i7", firstTurn: 7, turns: 3, expect: { contains: "a" } });
    expect(run.item(499)).toMatchObject({ id: "i499", firstTurn: 501, turns: 1, expect: null });
    expect([7, 8, 9, 10, 501, 502].map((number) => run.prompt(number))).toEqual([
      "a\0",
      "b",
      "c",
      "prompt 8",
      "prompt 499",
      "z",
    ]);
  });
});
