/** *Keys*: the tokens of servers, people and devices. Only admins see this page. */
import { useState } from "preact/hooks";
import type { Client, Key } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { clientTitle } from "../shared/client-select.tsx";
import { ConfirmButton } from "../shared/confirm-button.tsx";
import { Drawer } from "../shared/drawer.tsx";
import { shortTime } from "../shared/format.ts";
import { PlusIcon } from "../shared/icons.tsx";
import { listAll } from "../shared/list-all.ts";
import { Problem } from "../shared/problem.tsx";
import { useLoaded } from "../shared/use-loaded.ts";
import { NewKeyForm } from "./new-key-form.tsx";
import "../shared/rows.css";

export function KeysPage() {
  const { api } = useConsole();
  const { value, problem, reload } = useLoaded(() => api.keys.list(), [api]);
  const [isMaking, setIsMaking] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const onRevoke = (id: string) => void api.keys.delete(id).then(() => (setFailure(null), reload()), setFailure);
  return (
    <section class="page">
      <div class="page-head">
        <h1>Keys</h1>
        <button type="button" onClick={() => setIsMaking(true)}>
          <PlusIcon />
          New key
        </button>
      </div>
      <p class="lead">
        A key lets an app, a server or a person call Parley. It cannot be changed: make a new one, then revoke the old
        one. A revoked key is refused everywhere within 30 seconds.
      </p>
      <Problem problem={problem} onRetry={reload} />
      <Problem problem={failure} />
      {value && <Rows keys={value} onRevoke={onRevoke} />}
      {isMaking && (
        <Drawer title="New key" closesOutside={false} onClose={() => setIsMaking(false)}>
          <NewKeyForm onMade={reload} />
        </Drawer>
      )}
    </section>
  );
}

function Rows({ keys, onRevoke }: { keys: Key[]; onRevoke: (id: string) => void }) {
  const { api } = useConsole();
  const needsClients = keys.some(({ clientId }) => clientId !== undefined);
  const { value: clients } = useLoaded(
    async () => (needsClients ? listAll((query) => api.clients.list(query)) : []),
    [api, needsClients],
  );
  if (keys.length === 0)
    return <p class="note">There is no key yet. The admin key of the deployment is not among them.</p>;
  return (
    <ul class="rows">
      {keys.map((key) => (
        <li key={key.id}>
          <div class="row-text">
            <strong>{key.name}</strong>
            <span>{detailsOf(key, clients ?? [])}</span>
          </div>
          <div class="row-actions">
            <ConfirmButton action="Revoke" object={key.name} onConfirm={() => onRevoke(key.id)} />
          </div>
        </li>
      ))}
    </ul>
  );
}

const detailsOf = ({ role, clientId, expiresAt, lastUsedAt, createdAt }: Key, clients: Client[]): string =>
  [
    clientId === undefined ? role : `${role}, for ${ownerOf(clientId, clients)}`,
    `made ${shortTime(new Date(createdAt))}`,
    lastUsedAt === undefined ? "not used yet" : `used ${shortTime(new Date(lastUsedAt))}`,
    expiryOf(expiresAt),
  ].join(" · ");

function ownerOf(clientId: string, clients: Client[]): string {
  const client = clients.find(({ id }) => id === clientId);
  return client ? clientTitle(client, clients) : clientId;
}

function expiryOf(expiresAt: string | undefined, now = new Date()): string {
  if (expiresAt === undefined) return "never expires";
  const at = new Date(expiresAt);
  return at > now ? `expires ${shortTime(at)}` : `expired ${shortTime(at)}`;
}
