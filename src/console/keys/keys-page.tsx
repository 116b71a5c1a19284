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
  const [making, setMaking] = useState<{ replaced: Key | null } | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const onRevoke = (id: string) => void api.keys.delete(id).then(() => (setFailure(null), reload()), setFailure);
  return (
    <section class="page">
      <div class="page-head">
        <h1>Keys</h1>
        <button type="button" onClick={() => setMaking({ replaced: null })}>
          <PlusIcon />
          New key
        </button>
      </div>
      <p class="lead">
        A key lets an app, a server or a person call Parley. To change one, put a new one in its place. A revoked key is
        refused everywhere within 30 seconds.
      </p>
      <Problem problem={problem} onRetry={reload} />
      <Problem problem={failure} />
      {value && <Rows keys={value} onReplace={(replaced) => setMaking({ replaced })} onRevoke={onRevoke} />}
      {making && (
        <Drawer title={titleOf(making.replaced)} closesOutside={false} onClose={() => setMaking(null)}>
          <NewKeyForm replaced={making.replaced} onChange={reload} />
        </Drawer>
      )}
    </section>
  );
}

const titleOf = (replaced: Key | null): string => (replaced ? `New key in place of ${replaced.name}` : "New key");

interface RowsProps {
  keys: Key[];
  onReplace: (key: Key) => void;
  onRevoke: (id: string) => void;
}

function Rows({ keys, onReplace, onRevoke }: RowsProps) {
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
            <button type="button" class="quiet small" aria-label={`Replace ${key.name}`} onClick={() => onReplace(key)}>
              Replace
            </button>
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
