/** Where one writes a prompt. What is written survives a reload, and comes back if the server refuses it. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
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
  /** @returns whether the text is safe elsewhere. Until then it stays in the field, and cannot be changed */
  onSend: (text: string) => boolean | Promise<boolean>;
  children?: ComponentChildren;
}

/** A text that comes back stands before what was written since. */
function usePrompt({ draftName, refused = null, isReady, onSend }: FormProps) {
  const { fields, set, discard } = useDraft(`prompt.${draftName}`, { text: "" });
  const { text } = fields;
  const setText = set("text");
  useEffect(() => {
    if (refused !== null) setText(text === "" ? refused : `${refused}\n\n${text}`);
  }, [refused]);
  const [isSending, setIsSending] = useState(false);
  const canSend = isReady && !isSending && text.trim() !== "";
  const send = async () => {
    if (!canSend) return;
    setIsSending(true);
    if (await onSend(text)) discard();
    setIsSending(false);
  };
  return { text, setText, isSending, canSend, send: () => void send() };
}

export function PromptForm(props: FormProps) {
  const { label, hint, takesFocus = false, children } = props;
  const { canSend, send, ...field } = usePrompt(props);
  return (
    <form
      class="prompt"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <PromptField label={label} takesFocus={takesFocus} onEnter={send} {...field} />
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

interface FieldProps {
  label: string;
  text: string;
  isSending: boolean;
  takesFocus: boolean;
  setText: (text: string) => void;
  onEnter: () => void;
}

function PromptField({ label, text, isSending, takesFocus, setText, onEnter }: FieldProps) {
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
      readOnly={isSending}
      onInput={({ currentTarget }) => setText(currentTarget.value)}
      onKeyDown={onKeyDown}
    />
  );
}
