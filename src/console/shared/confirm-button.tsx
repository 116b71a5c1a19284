/** A button for what cannot be taken back: it asks once before it does it. The focus stays with what takes its place. */
import { useEffect, useRef, useState } from "preact/hooks";

interface ConfirmProps {
  /** What it does, such as `Delete`. */
  action: string;
  /** What it does it to, for who does not see the row. */
  object: string;
  /** What else goes with it. */
  warning?: string;
  onConfirm: () => void;
}

export function ConfirmButton({ action, object, warning, onConfirm }: ConfirmProps) {
  const [isAsking, setIsAsking] = useState<boolean | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  // Not when the page is shown first.
  useEffect(() => {
    if (isAsking !== null) button.current?.focus();
  }, [isAsking]);
  if (isAsking !== true)
    return (
      <button
        ref={button}
        type="button"
        class="quiet small"
        aria-label={`${action} ${object}`}
        onClick={() => setIsAsking(true)}
      >
        {action}
      </button>
    );
  return (
    <>
      {warning !== undefined && (
        <span class="hint" role="status">
          {warning}
        </span>
      )}
      <button
        ref={button}
        type="button"
        class="small danger"
        aria-label={`${action} ${object} now`}
        onClick={onConfirm}
      >
        {action}
      </button>
      <button type="button" class="quiet small" onClick={() => setIsAsking(false)}>
        Keep
      </button>
    </>
  );
}
