/** A form in a drawer: its fields, what went wrong, and one button. It is sent once, however often the button is pressed. */
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { Problem } from "../problem.tsx";

interface SaveFormProps {
  /** @throws why it was not saved; the form shows it, and stays as it is */
  onSave: () => Promise<void>;
  /** What the button is called. */
  action?: string;
  children: ComponentChildren;
}

export function SaveForm({ onSave, action = "Save", children }: SaveFormProps) {
  const [failure, setFailure] = useState<unknown>(null);
  const isBusy = useRef(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy.current) return;
    isBusy.current = true;
    setFailure(null);
    await onSave().catch(setFailure);
    isBusy.current = false;
  };
  return (
    <form class="fields" onSubmit={(event) => void submit(event)}>
      {children}
      <Problem problem={failure} />
      <button type="submit" class="primary">
        {action}
      </button>
    </form>
  );
}
