/** Makes a key, also in the place of another one, and shows its token, which nobody can see again. */
import { useState } from "preact/hooks";
import type { Key, KeyFields, NewKey } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { ClientSelect } from "../shared/client-select.tsx";
import { ConfirmButton } from "../shared/confirm-button.tsx";
import { NameField, SelectField } from "../shared/form/fields.tsx";
import { SaveForm } from "../shared/form/save-form.tsx";
import { UnsavedNote } from "../shared/form/unsaved-note.tsx";
import { useDraft } from "../shared/form/use-draft.ts";
import { Problem } from "../shared/problem.tsx";

const ROLES = [
  {
    name: "client",
    title: "client: an app of one person",
    purpose:
      "Sees and writes the chats of one client, and nothing else. The only role for an app or a page on a person's own device.",
  },
  {
    name: "service",
    title: "service: your own server",
    purpose:
      "Uses all chats, chatbots and clients, and Compare. It changes no endpoints, and makes keys for clients only, of 24 hours at most.",
  },
  {
    name: "operator",
    title: "operator: a person who helps",
    purpose:
      "Reads all chats, takes over from chatbots and rates answers. It changes nothing else, and has no Compare.",
  },
  { name: "admin", title: "admin: you", purpose: "May do everything, with keys and endpoints too. Give it to few." },
] as const;

type Role = (typeof ROLES)[number]["name"];

const DAY_MS = 86_400_000;
/** In days; 0 for ever. */
const LIFETIMES = [1, 7, 30, 90, 365, 0];

const EMPTY = { name: "", role: "client", clientId: "", days: "30" };

interface NewKeyFormProps {
  /** The key that the new one takes the place of. */
  replaced: Key | null;
  /** The list of keys is another one now. */
  onChange: () => void;
}

export function NewKeyForm({ replaced, onChange }: NewKeyFormProps) {
  const { api } = useConsole();
  const draft = useDraft(`key.${replaced?.id ?? "new"}`, replaced ? fieldsOf(replaced) : EMPTY);
  const { fields, set } = draft;
  const [made, setMade] = useState<NewKey | null>(null);
  if (made) return <Made made={made} replaced={replaced} onRevoked={onChange} />;
  const make = async () => {
    setMade(await api.keys.create(toInput(fields)));
    draft.discard();
    onChange();
  };
  return (
    <SaveForm actions={["Make key"]} onSave={make}>
      <UnsavedNote draft={draft} />
      <NameField
        hint="What it is for, such as “Ada, phone”. You find it by this name when you revoke it."
        value={fields.name}
        onInput={set("name")}
      />
      <SelectField
        name="role"
        label="Role"
        hint={ROLES.find((one) => one.name === fields.role)?.purpose}
        value={fields.role}
        options={ROLES.map(({ name: value, title }) => ({ value, title }))}
        onInput={set("role")}
      />
      {fields.role === "client" && (
        <ClientSelect label="Client" none="Choose one" required value={fields.clientId} onChange={set("clientId")} />
      )}
      <LifetimeField days={fields.days} onInput={set("days")} />
    </SaveForm>
  );
}

const LifetimeField = ({ days, onInput }: { days: string; onInput: (days: string) => void }) => (
  <SelectField
    name="expiresAt"
    label="Expires after"
    hint={lifetimeHint(Number(days))}
    value={days}
    options={LIFETIMES.map((one) => ({ value: String(one), title: lifetimeText(one) }))}
    onInput={onInput}
  />
);

/** @returns the fields of a key like this one, with the next longer lifetime that the form has */
function fieldsOf({ name, role, clientId = "", createdAt, expiresAt }: Key): typeof EMPTY {
  const lifetimeMs = expiresAt === undefined ? 0 : new Date(expiresAt).getTime() - new Date(createdAt).getTime();
  const days = LIFETIMES.find((one) => one * DAY_MS >= lifetimeMs) ?? 0;
  return { name, role, clientId, days: String(expiresAt === undefined ? 0 : days) };
}

const toInput = ({ name, role, clientId, days }: typeof EMPTY): KeyFields => ({
  name,
  role: role as Role,
  ...(role === "client" ? { clientId } : {}),
  ...(days === "0" ? {} : { expiresAt: afterDays(Number(days)).toISOString() }),
});

interface MadeProps {
  made: NewKey;
  replaced: Key | null;
  onRevoked: () => void;
}

function Made({ made, replaced, onRevoked }: MadeProps) {
  const [isCopied, setIsCopied] = useState(false);
  return (
    <>
      <p>Copy it now: it is not shown again. Who has it can use it {untilOf(made)}.</p>
      <code class="secret">{made.key}</code>
      <button
        type="button"
        class="primary"
        onClick={() => void navigator.clipboard.writeText(made.key).then(() => setIsCopied(true))}
      >
        {isCopied ? "Copied" : "Copy"}
      </button>
      <p class="hint">The app sends it with each call, in the header “Authorization: Bearer …”.</p>
      {replaced && <Replaced replaced={replaced} onRevoked={onRevoked} />}
    </>
  );
}

function Replaced({ replaced, onRevoked }: { replaced: Key; onRevoked: () => void }) {
  const { api } = useConsole();
  const [isRevoked, setIsRevoked] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  if (isRevoked) return <p role="status">The old key is revoked.</p>;
  const revoke = async () => {
    await api.keys.delete(replaced.id);
    setIsRevoked(true);
    onRevoked();
  };
  return (
    <>
      <p>The old key works on. Give the new one to whoever uses it, then revoke the old one.</p>
      <ConfirmButton action="Revoke" object="the old key" onConfirm={() => void revoke().catch(setFailure)} />
      <Problem problem={failure} />
    </>
  );
}

const untilOf = ({ expiresAt }: NewKey): string =>
  expiresAt === undefined ? "until you revoke it" : `until ${new Date(expiresAt).toLocaleString("en-GB")}`;

const afterDays = (days: number): Date => new Date(new Date().getTime() + days * DAY_MS);

function lifetimeText(days: number): string {
  if (days === 0) return "never";
  return days === 1 ? "1 day" : `${days} days`;
}

function lifetimeHint(days: number): string {
  if (days === 0)
    return "It works until somebody revokes it, also when it was lost and nobody knows. Prefer a lifetime.";
  const day = afterDays(days).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
  return `Until ${day}. Then its calls are refused, and what is open with it is closed. It cannot be prolonged.`;
}
