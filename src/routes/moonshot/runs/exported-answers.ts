/** Reads the answers of a run for an export, part by part. Effects: RPC to the run's object. */
import type { ExportedItem, ExportedResult, RunStub } from "../../../runs/run-client.ts";

/** An answer with its item. */
export interface ExportedAnswer {
  result: ExportedResult;
  item: ExportedItem;
}

/** All answers so far, by item, repetition, turn and endpoint. */
export async function* exportedResults(stub: RunStub): AsyncGenerator<ExportedAnswer, void> {
  for (let from: number | null = 0; from !== null;) {
    const page: Awaited<ReturnType<RunStub["export"]>> = await stub.export({ from });
    const items = new Map(page.items.map((item) => [item.id, item]));
    for (const result of page.results) {
      const item = items.get(result.itemId);
      if (item) yield { result, item };
    }
    from = page.next;
  }
}
