/** Where one writes a prompt. What is written survives a reload, and comes back if the server refuses it. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useDraft } from "./form/use-draft.ts";
import { SendIcon } from "./icons.tsx";

interface FormProps {
  /** Under which the text is kept until it is sent. */
  draftName: string;
  label: string;
  /** Why nothing can be sent, or what will happen. */
  hint: string;
  isReady: boolean;
  /** What was sent and refused; `null` for nothing. */
  refused?: string | null;
  /** Whether one writes on here at once. */
  takesFocus?: boolean;
  /** @param clear empties the field: not before the text is safe elsewhere */
  onSend: (text: string, clear: () => void) => void;
  children?: ComponentChildren;
}

/** A text that comes back stands before what was written since. */
function usePrompt(draftName: string, refused: string | null) {
  const { fields, set, discard } = useDraft(`prompt.${draftName}`, { text: "" });
  const setText = set("text");
  useEffect(() => {
    if (refused !== null) setText(fields.text === "" ? refused : `${refused}\n\n${fields.text}`);
  }, [refused]);
  return { text: fields.text, setText, clear: discard };
}

export function PromptForm({
  draftName,
  label,
  hint,
  isReady,
  refused = null,
  takesFocus = false,
  ...props
}: FormProps) {
  const { text, setText, clear } = usePrompt(draftName, refused);
  const canSend = isReady && text.trim() !== "";
  const send = () => canSend && props.onSend(text, clear);
  return (
    <form
      class="prompt"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <PromptField label={label} text={text} takesFocus={takesFocus} onText={setText} onEnter={send} />
      <div class="prompt-line">
        <span class="hint">{hint}</span>
        {props.children}
        <button type="submit" class="primary" disabled={!canSend}>
          <SendIcon />
          Send
        </button>
      </div>
    </form>
  );
}

interface FieldProps {
  label: string;
  text: string;
  takesFocus: boolean;
  onText: (text: string) => void;
  onEnter: () => void;
}

function PromptField({ label, text, takesFocus, onText, onEnter }: FieldProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (takesFocus) field.current?.focus({ preventScroll: true });
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    // While a character is being composed, Enter ends that.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    onEnter();
  };
  return (
    <textarea
      ref={field}
      aria-label={label}
      placeholder={label}
      rows={2}
      value={text}
      maxLength={100_000}
      onInput={({ currentTarget }) => onText(currentTarget.value)}
      onKeyDown={onKeyDown}
    />
  );
}
