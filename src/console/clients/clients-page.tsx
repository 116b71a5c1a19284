/** *Clients*: the people whom chatbots serve. An operator sees them, to find their chats. */
import type { Client } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { addressWith } from "../router.ts";
import { shortTime } from "../shared/format.ts";
import { Loaded } from "../shared/loaded.tsx";
import { ManagedList } from "../shared/managed-list.tsx";
import { ClientForm } from "./client-form.tsx";

export function ClientsPage() {
  const { api, me } = useConsole();
  // Another person may have changed it since the list was loaded.
  const load = async (id: string | null) => (id === null ? null : api.clients.get(id));
  return (
    <ManagedList
      title="Clients"
      noun="client"
      lead="The people whom your chatbots serve. Each sees only their own chats."
      searchLabel="Search by name, email or external id"
      canChange={me.role !== "operator"}
      list={(query) => api.clients.list(query)}
      onDelete={(id) => api.clients.delete(id)}
      inUse={inUse}
      warning="Their keys are revoked too."
      details={detailsOf}
      actions={chatsLink}
      form={(id, onSaved) => (
        <Loaded key={id} load={() => load(id)}>
          {(client) => <ClientForm client={client} onSaved={onSaved} />}
        </Loaded>
      )}
    />
  );
}

const chatsLink = ({ id, name }: Client) => (
  <a class="button quiet small" href={addressWith("chats", { clientId: id })} aria-label={`Chats of ${name}`}>
    Chats
  </a>
);

const inUse = (id: string) => (
  <span>
    End or delete them first: <a href={addressWith("chats", { clientId: id })}>the chats of this client</a>
  </span>
);

const detailsOf = ({ externalId, email, createdAt, id }: Client): string =>
  [externalId, email, `made ${shortTime(new Date(createdAt))}`, id].filter(Boolean).join(" · ");
