/** A text of a conversation that is changed in its place. */
import { TextField } from "../shared/form/fields.tsx";
import { SaveForm } from "../shared/form/save-form.tsx";
import { UnsavedNote } from "../shared/form/unsaved-note.tsx";
import { useDraft } from "../shared/form/use-draft.ts";

interface FormProps {
  /** Under which it is kept until it is saved. */
  draftName: string;
  /** As the API calls it. */
  name: string;
  label: string;
  saved: string;
  maxLength?: number;
  required?: boolean;
  action: string;
  onSave: (text: string) => Promise<unknown>;
  onDone: () => void;
}

export function TextForm({ draftName, saved, action, onSave, onDone, ...given }: FormProps) {
  const draft = useDraft(draftName, { text: saved });
  const close = () => {
    draft.discard();
    onDone();
  };
  return (
    <SaveForm actions={[action]} onSave={() => onSave(draft.fields.text).then(close)} onCancel={close}>
      <UnsavedNote draft={draft} />
      <TextField {...given} rows={2} value={draft.fields.text} onInput={draft.set("text")} />
    </SaveForm>
  );
}
