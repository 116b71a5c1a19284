/**
 * Group commit across objects of one isolate, in a started server. It relies on promises that continue in the invocation that
 * made them, which they do not in the Workers runtime of the tests.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cleanUpAtExit } from "../../bench/processes.ts";
import { serve } from "../../bench/wrangler.ts";
import type { Server } from "../../bench/wrangler.ts";

const state = mkdtempSync(join(tmpdir(), "parley-writers-"));
let server: Server | null = null;

cleanUpAtExit();

beforeAll(async () => {
  server = await serve({ config: "test/node/store/writers/wrangler.toml", state });
}, 240_000);

afterAll(async () => {
  await server?.stop();
  rmSync(state, { recursive: true, force: true });
});

const ask = async <T>(path: string): Promise<T> => (await (await fetch(`${server?.origin}${path}`)).json()) as T;
const commit = (writer: string, item: string) => ask<string>(`/commit?writer=${writer}&item=${item}`);
const transactions = () => ask<string[][]>("/transactions");

describe("objects that write at the same time", () => {
  it("share transactions, write each item once, and continue in their own context", async () => {
    const names = Array.from({ length: 40 }, (_, index) => `writer-${index}`);
    const items = names.flatMap((name) => ["one", "two", "three"].map((item) => `${name}-${item}`));
    const outcomes = await Promise.all(items.map((item) => commit(item.split("-").slice(0, 2).join("-"), item)));
    expect(new Set(outcomes)).toEqual(new Set(["written"]));
    const written = await transactions();
    expect(written.flat().toSorted()).toEqual(items.toSorted());
    expect(written.length).toBeLessThan(items.length / 2);
  });

  it("get the error of their transaction, and can write again", async () => {
    const outcomes = await Promise.all(["a", "b", "bad", "c"].map((item) => commit(`failing-${item}`, item)));
    expect(outcomes[2]).toBe("Error: refused");
    expect(outcomes.filter((outcome) => outcome === "written").length).toBeGreaterThanOrEqual(2);
    expect(await commit("failing-c", "again")).toBe("written");
  });

  it("stop waiting after ten seconds for an object that crashed with their items", async () => {
    const before = await transactions();
    const leaders = [commit("down-1", "down"), commit("down-2", "down")];
    const outcomes = await Promise.all(["d", "e", "f"].map((item) => commit(`waiting-${item}`, item)));
    expect(new Set(outcomes)).toEqual(new Set(["Error: The transaction of another write was lost"]));
    for (const gone of await Promise.all(leaders)) expect(gone).toContain("gone: Error: down");
    expect(await Promise.all(["g", "h", "i"].map((item) => commit(`waiting-${item}`, item)))).toEqual(
      Array.from({ length: 3 }, () => "written"),
    );
    expect((await transactions()).slice(before.length).flat().toSorted()).toEqual(["g", "h", "i"]);
  });
});
