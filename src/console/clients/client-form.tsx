/** The fields of a client. What was written and not saved is still there when the form is opened again. */
import type { Client, ClientChanges, ClientFields } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { NameField, TextField } from "../shared/form/fields.tsx";
import { jsonText, readJsonObject } from "../shared/form/json-object.ts";
import { SaveForm } from "../shared/form/save-form.tsx";
import { UnsavedNote } from "../shared/form/unsaved-note.tsx";
import { useDraft } from "../shared/form/use-draft.ts";

type Fields = Record<"name" | "externalId" | "email" | "metadata", string>;

interface FormProps {
  /** `null` for a new one. */
  client: Client | null;
  onSaved: () => void;
}

export function ClientForm({ client, onSaved }: FormProps) {
  const { api } = useConsole();
  const draft = useDraft<Fields>(`client.${client?.id ?? "new"}`, fieldsOf(client));
  const { fields, set } = draft;
  const save = async () => {
    const changes = toChanges(fields);
    if (client) await api.clients.update(client.id, changes);
    else await api.clients.create(withoutEmpty(changes));
    draft.discard();
    onSaved();
  };
  return (
    <SaveForm onSave={save}>
      <UnsavedNote draft={draft} />
      <NameField value={fields.name} onInput={set("name")} />
      <TextField
        name="externalId"
        label="External id"
        hint="Your own id of this person, such as the one in your database. No two clients have the same."
        maxLength={200}
        value={fields.externalId}
        onInput={set("externalId")}
      />
      <TextField name="email" label="Email" maxLength={320} value={fields.email} onInput={set("email")} />
      <TextField
        name="metadata"
        label="Metadata, as JSON"
        hint="Anything you want to keep with this person. The client's own token does not see it."
        rows={4}
        placeholder='{"plan": "free"}'
        value={fields.metadata}
        onInput={set("metadata")}
      />
    </SaveForm>
  );
}

const fieldsOf = (client: Client | null): Fields => ({
  name: client?.name ?? "",
  externalId: client?.externalId ?? "",
  email: client?.email ?? "",
  metadata: jsonText(client?.metadata),
});

/** What a change sends: a field that is empty is removed. @throws if the metadata is no JSON object */
const toChanges = ({ name, externalId, email, metadata }: Fields) =>
  ({
    name,
    externalId: externalId || null,
    email: email || null,
    metadata: readJsonObject("Metadata", metadata, '{"plan": "free"}'),
  }) satisfies ClientChanges;

const withoutEmpty = (changes: ClientChanges): ClientFields =>
  Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null)) as ClientFields;
