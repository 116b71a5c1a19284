/** *Endpoints*: the models that can be asked. Admins add, change and delete them; others may test them. */
import { useState } from "preact/hooks";
import { ParleyError } from "../../client/errors.ts";
import type { Endpoint } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { addressOf } from "../router.ts";
import { ConfirmButton } from "../shared/confirm-button.tsx";
import { Drawer } from "../shared/drawer.tsx";
import { PlusIcon } from "../shared/icons.tsx";
import { Problem } from "../shared/problem.tsx";
import { useLoaded } from "../shared/use-loaded.ts";
import { EndpointForm } from "./endpoint-form.tsx";
import { EndpointTestButton } from "./endpoint-test.tsx";
import "../shared/rows.css";

/** What the drawer is about: an endpoint, a new one, or nothing. */
type Edited = Endpoint | "new" | null;

export function EndpointsPage() {
  const { api, me } = useConsole();
  const { value, problem, reload } = useLoaded(() => api.endpoints.list(), [api]);
  const [edited, setEdited] = useState<Edited>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const isAdmin = me.role === "admin";
  const onDelete = (id: string) => void api.endpoints.delete(id).then(() => (setFailure(null), reload()), setFailure);
  const onSaved = (saved: Endpoint | null) => {
    setEdited(saved);
    reload();
  };
  return (
    <section class="page">
      <div class="page-head">
        <h1>Endpoints</h1>
        {isAdmin && (
          <button type="button" onClick={() => setEdited("new")}>
            <PlusIcon />
            Add endpoint
          </button>
        )}
      </div>
      <Problem problem={problem} onRetry={reload} />
      <DeleteProblem failure={failure} />
      <ul class="rows">
        {value?.map((endpoint) => (
          <Row key={endpoint.id} endpoint={endpoint} isAdmin={isAdmin} onEdit={setEdited} onDelete={onDelete} />
        ))}
      </ul>
      {edited && (
        <Drawer title={edited === "new" ? "Add endpoint" : edited.name} onClose={() => setEdited(null)}>
          <EndpointForm endpoint={edited === "new" ? null : edited} onSaved={onSaved} />
        </Drawer>
      )}
    </section>
  );
}

/** Only chatbots keep an endpoint from being deleted. */
const DeleteProblem = ({ failure }: { failure: unknown }) => (
  <Problem problem={failure}>
    {failure instanceof ParleyError && failure.status === 409 && (
      <span>
        Give them another endpoint first: <a href={addressOf("chatbots")}>all chatbots</a>
      </span>
    )}
  </Problem>
);

interface RowProps {
  endpoint: Endpoint;
  isAdmin: boolean;
  onEdit: (endpoint: Endpoint) => void;
  onDelete: (id: string) => void;
}

const Row = ({ endpoint, isAdmin, onEdit, onDelete }: RowProps) => (
  <li>
    <div class="row-text">
      <strong>{endpoint.name}</strong>
      <span>{detailsOf(endpoint)}</span>
    </div>
    <EndpointTestButton endpoint={endpoint}>
      {isAdmin && (
        <>
          <button
            type="button"
            class="quiet small"
            aria-label={`Change ${endpoint.name}`}
            onClick={() => onEdit(endpoint)}
          >
            Change
          </button>
          <ConfirmButton action="Delete" object={endpoint.name} onConfirm={() => onDelete(endpoint.id)} />
        </>
      )}
    </EndpointTestButton>
  </li>
);

function detailsOf({ id, connector_type: type, model, uri, prices, ...limits }: Endpoint): string {
  const parts = [id, type, model, uri];
  if (limits.max_calls_per_second > 0) parts.push(`${limits.max_calls_per_second} calls a second`);
  if (limits.max_concurrency > 0) parts.push(`${limits.max_concurrency} at once`);
  if (prices) parts.push(`${prices.input_per_million} in, ${prices.output_per_million} out a million tokens`);
  return parts.filter(Boolean).join(" · ");
}
