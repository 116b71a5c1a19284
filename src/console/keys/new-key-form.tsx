/** Makes a key, and shows its token, which nobody can see again. */
import { useState } from "preact/hooks";
import type { NewKey } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { ClientSelect } from "../shared/client-select.tsx";
import { SelectField, TextField } from "../shared/form/fields.tsx";
import { SaveForm } from "../shared/form/save-form.tsx";

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

export function NewKeyForm({ onMade }: { onMade: () => void }) {
  const { api } = useConsole();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("client");
  const [clientId, setClientId] = useState("");
  const [days, setDays] = useState(30);
  const [made, setMade] = useState<NewKey | null>(null);
  if (made) return <Made made={made} />;
  const make = async () => {
    const lifetime = days === 0 ? {} : { expiresAt: afterDays(days).toISOString() };
    setMade(await api.keys.create({ name, role, ...(role === "client" ? { clientId } : {}), ...lifetime }));
    onMade();
  };
  return (
    <SaveForm action="Make key" onSave={make}>
      <TextField
        label="Name"
        hint="What it is for, such as “Ada, phone”. You find it by this name when you revoke it."
        required
        maxLength={200}
        value={name}
        onInput={setName}
      />
      <SelectField
        label="Role"
        hint={ROLES.find((one) => one.name === role)?.purpose}
        value={role}
        options={ROLES.map(({ name: value, title }) => ({ value, title }))}
        onInput={(value) => setRole(value as Role)}
      />
      {role === "client" && (
        <ClientSelect label="Client" none="Choose one" required value={clientId} onChange={setClientId} />
      )}
      <Lifetime days={days} onChange={setDays} />
    </SaveForm>
  );
}

const Lifetime = ({ days, onChange }: { days: number; onChange: (days: number) => void }) => (
  <SelectField
    label="Expires after"
    hint={lifetimeHint(days)}
    value={String(days)}
    options={LIFETIMES.map((lifetime) => ({ value: String(lifetime), title: lifetimeText(lifetime) }))}
    onInput={(value) => onChange(Number(value))}
  />
);

function Made({ made }: { made: NewKey }) {
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
