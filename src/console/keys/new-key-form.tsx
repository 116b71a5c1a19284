/** Makes a key, and shows its token, which nobody can see again. */
import { useState } from "preact/hooks";
import type { NewKey } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { Problem } from "../shared/problem.tsx";
import { useLoaded } from "../shared/use-loaded.ts";

const ROLES = [
  { name: "client", purpose: "The sessions of one client, for an app or a device of that person." },
  { name: "service", purpose: "All sessions, chatbots and clients, for your own server." },
  { name: "operator", purpose: "Reads chats and takes over from chatbots, for a person." },
  { name: "admin", purpose: "Everything, keys and endpoints too." },
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
  const [failure, setFailure] = useState<unknown>(null);
  if (made) return <Made made={made} />;
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const lifetime = days === 0 ? {} : { expiresAt: new Date(new Date().getTime() + days * DAY_MS).toISOString() };
    try {
      setMade(await api.keys.create({ name, role, ...(role === "client" ? { clientId } : {}), ...lifetime }));
      onMade();
    } catch (error) {
      setFailure(error);
    }
  };
  return (
    <form class="fields" onSubmit={(event) => void submit(event)}>
      <label class="field">
        <span>Name: what it is for</span>
        <input required maxLength={200} value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} />
      </label>
      <RoleChoice role={role} onChange={setRole} />
      {role === "client" && <ClientChoice clientId={clientId} onChange={setClientId} />}
      <LifetimeChoice days={days} onChange={setDays} />
      <Problem problem={failure} />
      <button type="submit" class="primary">
        Make key
      </button>
    </form>
  );
}

const Made = ({ made }: { made: NewKey }) => (
  <>
    <p>
      Copy it now: it is not shown again. Who has it can use it
      {made.expiresAt === undefined
        ? " until you revoke it"
        : ` until ${new Date(made.expiresAt).toLocaleString("en-GB")}`}
      .
    </p>
    <code class="secret">{made.key}</code>
    <button type="button" onClick={() => void navigator.clipboard.writeText(made.key)}>
      Copy
    </button>
  </>
);

const RoleChoice = ({ role, onChange }: { role: Role; onChange: (role: Role) => void }) => (
  <label class="field">
    <span>Role</span>
    <select value={role} onChange={({ currentTarget }) => onChange(currentTarget.value as Role)}>
      {ROLES.map((one) => (
        <option key={one.name} value={one.name}>
          {one.name}
        </option>
      ))}
    </select>
    <span class="hint">{ROLES.find((one) => one.name === role)?.purpose}</span>
  </label>
);

function ClientChoice({ clientId, onChange }: { clientId: string; onChange: (id: string) => void }) {
  const { api } = useConsole();
  const { value, problem } = useLoaded(() => api.clients.list({ limit: 100 }), [api]);
  return (
    <>
      <Problem problem={problem} />
      <label class="field">
        <span>Client</span>
        <select required value={clientId} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
          <option value="">Choose one</option>
          {value?.results.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}

const LifetimeChoice = ({ days, onChange }: { days: number; onChange: (days: number) => void }) => (
  <label class="field">
    <span>Expires after</span>
    <select value={days} onChange={({ currentTarget }) => onChange(Number(currentTarget.value))}>
      {LIFETIMES.map((lifetime) => (
        <option key={lifetime} value={lifetime}>
          {lifetimeText(lifetime)}
        </option>
      ))}
    </select>
    <span class="hint">A key that expires does less harm when it is lost.</span>
  </label>
);

function lifetimeText(days: number): string {
  if (days === 0) return "never";
  return days === 1 ? "1 day" : `${days} days`;
}
