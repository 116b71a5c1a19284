import type { ParleyClient } from "../../client/index.ts";

/** What a step of the demo works with. */
export interface DemoContext {
  parley: ParleyClient;
  /** Registers something that the step has created. The demo deletes it at the end. @param path what `DELETE` is called on */
  deleteLater: (path: string) => void;
}

export interface DemoStep {
  title: string;
  run: (context: DemoContext) => Promise<void>;
}
