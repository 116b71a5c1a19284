/** What can be done with a message. What a role may not do is not shown. */
import { useConsole } from "../context.ts";
import { goTo } from "../router.ts";
import type { ItemProps } from "./item-props.ts";
import { hasPromptBefore } from "./conversation.ts";
import type { ChatMessage } from "./conversation.ts";
import { Rating } from "./rating.tsx";

export function Actions(props: ItemProps & { onEdit: () => void; onComment: () => void }) {
  const { id, message, shown, variants, run, onTool } = props;
  const { api, me } = useConsole();
  const { seq, role, content, author } = message;
  const isAnswer = role === "assistant" && content !== "";
  return (
    <span class="answer-actions">
      <Variants message={message} variants={variants} onChoose={(other) => run(api.sessions.activate(id, other))} />
      {variants.length > 1 && <Tool text="Compare variants" onUse={() => onTool({ kind: "variants", seq })} />}
      {/* Nobody rates a greeting. The copy of a reply in a branch has neither author nor status. */}
      {isAnswer && (author || hasPromptBefore(shown, message)) && <Rating {...props} />}
      {/* An operator reads, rates and takes over, but does not ask. */}
      {me.role !== "operator" && <AskingTools {...props} />}
      {isAnswer && <BridgeTool {...props} />}
    </span>
  );
}

function AskingTools({ id, message, isActive, run, onEdit }: ItemProps & { onEdit: () => void }) {
  const { api } = useConsole();
  const { seq, role, status, content } = message;
  const branch = () => run(api.sessions.branch(id, { seq }).then((made) => goTo("chats", made.id)));
  return (
    <>
      {isActive && status && <Tool text="Ask again" onUse={() => run(api.sessions.regenerate(id, seq))} />}
      {isActive && role === "user" && <Tool text="Edit" onUse={onEdit} />}
      {content !== "" && <Tool text="Branch" onUse={branch} />}
    </>
  );
}

function BridgeTool({ message, shown, onTool }: ItemProps) {
  const { me } = useConsole();
  const isService = me.role === "admin" || me.role === "service";
  if (!isService || !hasPromptBefore(shown, message)) return null;
  return <Tool text="Compare on other models" onUse={() => onTool({ kind: "bridge", seq: message.seq })} />;
}

const Tool = ({ text, onUse }: { text: string; onUse: () => void }) => (
  <button type="button" class="quiet small" onClick={onUse}>
    {text}
  </button>
);

interface VariantsProps {
  message: ChatMessage;
  variants: ChatMessage[];
  onChoose: (seq: number) => void;
}

function Variants({ message, variants, onChoose }: VariantsProps) {
  if (variants.length < 2) return null;
  const at = variants.findIndex(({ seq }) => seq === message.seq);
  const step = (by: number, label: string, sign: string) => {
    const other = variants[at + by];
    return (
      <button
        type="button"
        class="quiet small"
        aria-label={label}
        disabled={!other}
        onClick={() => other && onChoose(other.seq)}
      >
        {sign}
      </button>
    );
  };
  return (
    <span class="variants">
      {step(-1, "Earlier variant", "‹")}
      {at + 1} of {variants.length}
      {step(1, "Later variant", "›")}
    </span>
  );
}
