/**
 * A Worker with Durable Objects that write in groups. Each object uses its own storage before and after the write: the runtime
 * allows that only in the object's own invocation, so it shows that each continues there.
 */
import { DurableObject } from "cloudflare:workers";
import { GroupCommit } from "../../../../src/store/group-commit.ts";

interface Bindings {
  WRITERS: DurableObjectNamespace<Writer>;
}

const group = new GroupCommit<string>(2);
const transactions: string[][] = [];

export class Writer extends DurableObject<Bindings> {
  readonly #write = async (items: string[]) => {
    await this.#touch();
    await scheduler.wait(20);
    await this.#touch();
    if (items.includes("bad")) throw new Error("refused");
    transactions.push(items);
  };

  readonly #goDown = async () => {
    await scheduler.wait(20);
    this.ctx.abort("down");
    return new Promise<never>(() => {});
  };

  /** @returns `written`, or the error */
  async commit(item: string): Promise<string> {
    const durable = () => this.ctx.storage.sync();
    const write = item === "down" ? this.#goDown : this.#write;
    const outcome = await group.commit({ items: [item], size: 1, waitUntilDurable: durable, write }).then(
      () => "written",
      (error: unknown) => String(error),
    );
    await this.#touch();
    return outcome;
  }

  #touch(): Promise<void> {
    return this.ctx.storage.put("touched", true);
  }
}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/commit") return Response.json(transactions);
    const item = searchParams.get("item") ?? "";
    const outcome = env.WRITERS.getByName(searchParams.get("writer") ?? "").commit(item);
    return Response.json(await outcome.catch((error: unknown) => `gone: ${String(error)}`));
  },
} satisfies ExportedHandler<Bindings>;
