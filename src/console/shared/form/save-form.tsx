/** A form: its fields, what went wrong, and its buttons. It is sent once, however often a button is pressed. */
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { Problem } from "../problem.tsx";
import { withLabels } from "./field-labels.ts";

interface SaveFormProps {
  /**
   * @param action the button that was pressed
   * @throws why it was not saved; the form shows it, and stays as it is
   */
  onSave: (action: string) => Promise<void>;
  /** What the buttons are called. The first one is also for Enter. */
  actions?: readonly [string, ...string[]];
  /** For a form in the place of what it changes. */
  onCancel?: () => void;
  children: ComponentChildren;
}

export function SaveForm({ onSave, actions = ["Save"], onCancel, children }: SaveFormProps) {
  const [failure, setFailure] = useState<unknown>(null);
  const isBusy = useRef(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy.current) return;
    isBusy.current = true;
    setFailure(null);
    const action = event.submitter?.getAttribute("value") ?? actions[0];
    const form = event.currentTarget as HTMLFormElement;
    await onSave(action).catch((problem: unknown) => setFailure(withLabels(problem, form)));
    isBusy.current = false;
  };
  return (
    <form class="fields" onSubmit={(event) => void submit(event)}>
      {children}
      <Problem problem={failure} />
      <div class="form-actions">
        {actions.map((action, index) => (
          <button key={action} type="submit" value={action} class={index === 0 ? "primary" : ""}>
            {action}
          </button>
        ))}
        {onCancel && (
          <button type="button" class="quiet" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}
