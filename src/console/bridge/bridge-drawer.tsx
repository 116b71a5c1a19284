/**
 * *Compare on other models*: puts the messages of a chat to other endpoints and chatbots. In this folder: the form that begins it,
 * the progress of a replay, and the adoption of an answer. All of it is loaded when it is shown first.
 */
import { Drawer } from "../shared/drawer.tsx";
import { Problem } from "../shared/problem.tsx";
import { useLoaded } from "../shared/use-loaded.ts";
import type { ChatPart } from "./chat-part.ts";

export function BridgeDrawer({ from, onClose }: { from: ChatPart; onClose: () => void }) {
  const { value, problem, reload } = useLoaded(
    async () => ({ Form: (await import("./bridge-form.tsx")).BridgeForm }),
    [],
  );
  return (
    <Drawer title="Compare on other models" onClose={onClose}>
      <Problem problem={problem} onRetry={reload} />
      {value ? <value.Form from={from} /> : problem === null && <p class="hint">Loading …</p>}
    </Drawer>
  );
}
