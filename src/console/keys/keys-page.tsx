/** *Keys*: the tokens of servers, people and devices. Only admins see this page. */
import { useState } from "preact/hooks";
import type { Key } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { ConfirmButton } from "../shared/confirm-button.tsx";
import { Drawer } from "../shared/drawer.tsx";
import { shortTime } from "../shared/format.ts";
import { PlusIcon } from "../shared/icons.tsx";
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
      <Problem problem={problem ?? failure} onRetry={reload} />
      {value?.length === 0 && <p class="note">No key yet. The admin key of the deployment is not among them.</p>}
      {value && value.length > 0 && (
        <ul class="rows">
          {value.map((key) => (
            <li key={key.id}>
              <div class="row-text">
                <strong>{key.name}</strong>
                <span>{detailsOf(key)}</span>
              </div>
              <div class="row-actions">
                <ConfirmButton action="Revoke" object={key.name} onConfirm={() => onRevoke(key.id)} />
              </div>
            </li>
          ))}
        </ul>
      )}
      {isMaking && (
        <Drawer title="New key" onClose={() => setIsMaking(false)}>
          <NewKeyForm onMade={reload} />
        </Drawer>
      )}
    </section>
  );
}

const detailsOf = ({ role, expiresAt, lastUsedAt, createdAt }: Key): string =>
  [
    role,
    `made ${shortTime(new Date(createdAt))}`,
    lastUsedAt === undefined ? "not used yet" : `used ${shortTime(new Date(lastUsedAt))}`,
    expiresAt === undefined ? "never expires" : `expires ${shortTime(new Date(expiresAt))}`,
  ].join(" · ");
