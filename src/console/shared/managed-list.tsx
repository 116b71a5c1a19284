/** A page with a list of what one makes, changes and deletes: a search, a row each, and a drawer with the form. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Page } from "../../client/envelope.ts";
import { ParleyError } from "../../client/errors.ts";
import { ConfirmButton } from "./confirm-button.tsx";
import { Drawer } from "./drawer.tsx";
import { PlusIcon } from "./icons.tsx";
import { ListPages } from "./list-pages.tsx";
import { Problem } from "./problem.tsx";
import { SearchField } from "./search-field.tsx";
import { useLoaded } from "./use-loaded.ts";
import "./rows.css";

const PAGE_SIZE = 25;

interface Named {
  id: string;
  name: string;
}

export interface ManagedListProps<T extends Named> {
  title: string;
  /** What one of them is called. */
  noun: string;
  lead: string;
  searchLabel: string;
  canChange: boolean;
  list: (query: { limit: number; skip: number; searchString: string }) => Promise<Page<T>>;
  onDelete: (id: string) => Promise<void>;
  /** What to do about one that is in use, and so is not deleted. */
  inUse?: (id: string) => ComponentChildren;
  /** What else is deleted with one. */
  warning?: string;
  /** What stands in a row below the name. */
  details: (item: T) => ComponentChildren;
  /** Further things to do with one. */
  actions?: (item: T) => ComponentChildren;
  /** @param id `null` for a new one */
  form: (id: string | null, onSaved: () => void) => ComponentChildren;
}

export function ManagedList<T extends Named>({ list, onDelete, form, ...props }: ManagedListProps<T>) {
  const { noun, searchLabel } = props;
  const [query, setQuery] = useState({ searchString: "", skip: 0 });
  const { value, problem, reload } = useLoaded(
    () => list({ limit: PAGE_SIZE, ...query }),
    [query.searchString, query.skip],
  );
  // `null` is a new one, `undefined` nothing.
  const [edited, setEdited] = useState<string | null | undefined>(undefined);
  const { failure, remove } = useDeletion(onDelete, reload);
  const close = () => setEdited(undefined);
  return (
    <section class="page">
      <Head {...props} onNew={() => setEdited(null)} />
      <SearchField
        label={searchLabel}
        value={query.searchString}
        onChange={(searchString) => setQuery({ searchString, skip: 0 })}
      />
      <Problem problem={problem} onRetry={reload} />
      <DeleteProblem failure={failure} inUse={props.inUse} />
      {value && (
        <Rows {...props} items={value.results} search={query.searchString} onEdit={setEdited} onDelete={remove} />
      )}
      {value && (
        <ListPages
          size={PAGE_SIZE}
          total={value.paginatorInfo.total}
          skip={query.skip}
          onSkip={(skip) => setQuery({ ...query, skip })}
        />
      )}
      {edited !== undefined && (
        <Drawer title={edited === null ? `New ${noun}` : `Change ${noun}`} onClose={close}>
          {form(edited, () => (close(), reload()))}
        </Drawer>
      )}
    </section>
  );
}

function useDeletion(onDelete: (id: string) => Promise<void>, onDone: () => void) {
  const [failure, setFailure] = useState<Failure | null>(null);
  const remove = (id: string) =>
    void onDelete(id).then(
      () => (setFailure(null), onDone()),
      (error: unknown) => setFailure({ id, error }),
    );
  return { failure, remove };
}

/** Why one was not deleted. */
interface Failure {
  id: string;
  error: unknown;
}

interface DeleteProblemProps {
  failure: Failure | null;
  inUse: ManagedListProps<Named>["inUse"] | undefined;
}

const DeleteProblem = ({ failure, inUse }: DeleteProblemProps) => (
  <Problem problem={failure?.error}>
    {failure?.error instanceof ParleyError && failure.error.code === "in_use" && inUse?.(failure.id)}
  </Problem>
);

interface HeadProps extends Pick<ManagedListProps<Named>, "title" | "noun" | "lead" | "canChange"> {
  onNew: () => void;
}

const Head = ({ title, noun, lead, canChange, onNew }: HeadProps) => (
  <>
    <div class="page-head">
      <h1>{title}</h1>
      {canChange && (
        <button type="button" onClick={onNew}>
          <PlusIcon />
          New {noun}
        </button>
      )}
    </div>
    <p class="lead">{lead}</p>
  </>
);

interface RowsProps<T extends Named> extends Pick<
  ManagedListProps<T>,
  "noun" | "canChange" | "details" | "actions" | "warning"
> {
  items: T[];
  search: string;
  onEdit: (id: string) => void;
  onDelete: (id: string) => void;
}

const Rows = <T extends Named>({ items, search, noun, canChange, details, actions, ...on }: RowsProps<T>) =>
  items.length === 0 ? (
    <p class="note">{search === "" ? `There is no ${noun} yet.` : `No ${noun} is called like this.`}</p>
  ) : (
    <ul class="rows">
      {items.map((item) => (
        <li key={item.id}>
          <div class="row-text">
            <strong>{item.name}</strong>
            <span>{details(item)}</span>
          </div>
          <div class="row-actions">
            {actions?.(item)}
            {canChange && <ChangeActions item={item} {...on} />}
          </div>
        </li>
      ))}
    </ul>
  );

interface ChangeProps extends Pick<RowsProps<Named>, "warning" | "onEdit" | "onDelete"> {
  item: Named;
}

const ChangeActions = ({ item: { id, name }, warning, onEdit, onDelete }: ChangeProps) => (
  <>
    <button type="button" class="quiet small" aria-label={`Change ${name}`} onClick={() => onEdit(id)}>
      Change
    </button>
    <ConfirmButton
      action="Delete"
      object={name}
      {...(warning === undefined ? {} : { warning })}
      onConfirm={() => onDelete(id)}
    />
  </>
);
