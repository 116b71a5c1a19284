/** Where one writes a prompt. What is written survives a reload. */
import type { ComponentChildren } from "preact";
import { SendIcon } from "./icons.tsx";
import { useKept } from "./storage.ts";

interface FormProps {
  /** Under which the text is kept until it is sent. */
  draftName: string;
  label: string;
  /** Why nothing can be sent, or what will happen. */
  hint: string;
  isReady: boolean;
  /** @param clear empties the field: not before the text is safe elsewhere */
  onSend: (text: string, clear: () => void) => void;
  children?: ComponentChildren;
}

export function PromptForm({ draftName, label, hint, isReady, onSend, children }: FormProps) {
  const [draft, setDraft] = useKept(`draft.${draftName}`, "");
  const canSend = isReady && draft.trim() !== "";
  const send = () => canSend && onSend(draft, () => setDraft(""));
  const onKeyDown = (event: KeyboardEvent) => {
    // While a character is being composed, Enter ends that.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      class="prompt"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        aria-label={label}
        placeholder={label}
        rows={2}
        value={draft}
        maxLength={100_000}
        onInput={({ currentTarget }) => setDraft(currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <div class="prompt-line">
        <span class="hint">{hint}</span>
        {children}
        <button type="submit" class="primary" disabled={!canSend}>
          <SendIcon />
          Send
        </button>
      </div>
    </form>
  );
}
