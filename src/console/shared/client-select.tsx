/** The choice of a client. Where there are too many for one list, one searches among them. */
import { useState } from "preact/hooks";
import type { Client } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { SelectField } from "./form/fields.tsx";
import { Problem } from "./problem.tsx";
import { SearchField } from "./search-field.tsx";
import { useLoaded } from "./use-loaded.ts";

/** As many as one call of the API lists. */
const LISTED = 100;

type Named = Pick<Client, "id" | "name"> & Partial<Pick<Client, "externalId" | "email">>;

interface ClientSelectProps {
  label: string;
  hint?: string;
  value: string;
  /** What it is called to choose nobody. */
  none: string;
  required?: boolean;
  onChange: (clientId: string) => void;
}

export function ClientSelect({ label, hint, value, none, required, onChange }: ClientSelectProps) {
  const { api } = useConsole();
  const [search, setSearch] = useState("");
  const { value: found, problem } = useLoaded(async () => {
    const { results, paginatorInfo } = await api.clients.list({ limit: LISTED, searchString: search });
    const isListed = value === "" || results.some(({ id }) => id === value);
    // Who was chosen may be on no page that was loaded, or deleted.
    const chosen = isListed ? null : await api.clients.get(value).catch(() => null);
    return { clients: chosen ? [chosen, ...results] : results, total: paginatorInfo.total };
  }, [api, search, value]);
  const clients = found?.clients ?? [];
  return (
    <>
      {((found?.total ?? 0) > LISTED || search !== "") && (
        <SearchField label="Search clients" value={search} onChange={setSearch} />
      )}
      <SelectField
        name="clientId"
        label={label}
        {...(hint === undefined ? {} : { hint })}
        value={value}
        none={none}
        {...(required === undefined ? {} : { required })}
        options={clients.map((client) => ({ value: client.id, title: clientTitle(client, clients) }))}
        onInput={onChange}
      />
      <Problem problem={problem} />
    </>
  );
}

/** Two people may have one name: the difference stands behind it. */
export function clientTitle({ id, name, externalId, email }: Named, others: Named[] = []): string {
  const isTwice = others.some((other) => other.name === name && other.id !== id);
  const mark = externalId ?? (isTwice ? (email ?? `…${id.slice(-6)}`) : undefined);
  return mark === undefined ? name : `${name} · ${mark}`;
}
