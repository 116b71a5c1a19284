/** A button for what cannot be taken back: it asks once before it does it. */
import { useState } from "preact/hooks";

interface ConfirmProps {
  /** What it does, such as `Delete`. */
  action: string;
  /** What it does it to, for who does not see the row. */
  object: string;
  onConfirm: () => void;
}

export function ConfirmButton({ action, object, onConfirm }: ConfirmProps) {
  const [isAsking, setIsAsking] = useState(false);
  if (!isAsking)
    return (
      <button type="button" class="quiet small" aria-label={`${action} ${object}`} onClick={() => setIsAsking(true)}>
        {action}
      </button>
    );
  return (
    <>
      <button type="button" class="small danger" aria-label={`${action} ${object} now`} onClick={onConfirm}>
        {action} now
      </button>
      <button type="button" class="quiet small" onClick={() => setIsAsking(false)}>
        Keep
      </button>
    </>
  );
}
