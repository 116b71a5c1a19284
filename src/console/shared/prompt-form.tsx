/** Where one writes a prompt. What is written survives a reload. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { SendIcon } from "./icons.tsx";
import { useKept } from "./storage.ts";

interface FormProps {
  /** Under which the text is kept until it is sent. */
  draftName: string;
  label: string;
  /** Why nothing can be sent, or what will happen. */
  hint: string;
  isReady: boolean;
  /** Whether one writes on here at once. */
  takesFocus?: boolean;
  /** @param clear empties the field: not before the text is safe elsewhere */
  onSend: (text: string, clear: () => void) => void;
  children?: ComponentChildren;
}

function useFirstFocus(takesFocus: boolean) {
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (takesFocus) field.current?.focus({ preventScroll: true });
  }, []);
  return field;
}

export function PromptForm({ draftName, label, hint, isReady, takesFocus = false, onSend, children }: FormProps) {
  const [draft, setDraft] = useKept(`draft.${draftName}`, "");
  const field = useFirstFocus(takesFocus);
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
        ref={field}
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
