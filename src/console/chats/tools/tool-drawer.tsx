/** Opens what belongs to a conversation and is not always needed. */
import { BridgeDrawer } from "../../bridge/bridge-drawer.tsx";
import { Drawer } from "../../shared/drawer.tsx";
import { Problem } from "../../shared/problem.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";
import { hasPromptBefore } from "../conversation.ts";
import type { ChatMessage, Conversation } from "../conversation.ts";
import type { Tool } from "./tool.ts";

interface ToolProps {
  id: string;
  tool: Tool;
  conversation: Conversation;
  onClose: () => void;
}

export function ToolDrawer({ id, tool, conversation, onClose }: ToolProps) {
  const { shown, session } = conversation;
  if (tool.kind === "variants") {
    const message = shown.find(({ seq }) => seq === tool.seq);
    return message ? (
      <VariantsDrawer variants={conversation.variantsOf(message)} shown={tool.seq} onClose={onClose} />
    ) : null;
  }
  const answers = shown
    .filter((message) => message.role === "assistant" && message.content !== "" && hasPromptBefore(shown, message))
    .map(({ seq, content }) => ({ seq, text: content }));
  const name = session?.title ?? "A chat";
  return <BridgeDrawer from={{ sessionId: id, name, untilSeq: tool.seq, answers }} onClose={onClose} />;
}

function VariantsDrawer({ variants, shown, onClose }: { variants: ChatMessage[]; shown: number; onClose: () => void }) {
  const { value, problem, reload } = useLoaded(
    async () => ({ View: (await import("./variants-view.tsx")).VariantsView }),
    [],
  );
  return (
    <Drawer title="Variants" onClose={onClose} isWide>
      <Problem problem={problem} onRetry={reload} />
      {value ? <value.View variants={variants} shown={shown} /> : problem === null && <p class="hint">Loading …</p>}
    </Drawer>
  );
}
