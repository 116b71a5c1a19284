/** The fields of an endpoint: those that its connector type has. The token is never shown, only set. */
import { useRef } from "preact/hooks";
import type { Connector, Endpoint } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { NameField, SelectField, TextField } from "../shared/form/fields.tsx";
import { ParamsField } from "../shared/form/params-field.tsx";
import { SaveForm } from "../shared/form/save-form.tsx";
import { UnsavedNote } from "../shared/form/unsaved-note.tsx";
import { useDraft } from "../shared/form/use-draft.ts";
import { Problem } from "../shared/problem.tsx";
import { useLoaded } from "../shared/use-loaded.ts";
import { fieldsOf, isSecret, toInput } from "./endpoint-fields.ts";
import type { FieldName, Fields } from "./endpoint-fields.ts";
import { TestOfForm, useEndpointTest } from "./endpoint-test.tsx";

interface FormProps {
  /** `null` for a new one. */
  endpoint: Endpoint | null;
  /** @param saved as it is stored now, to stay in the form; `null` if one is done */
  onSaved: (saved: Endpoint | null) => void;
}

const SAVE_AND_TEST = "Save and test";

export function EndpointForm({ endpoint, onSaved }: FormProps) {
  const { api } = useConsole();
  const { value: connectors, problem, reload } = useLoaded(() => api.endpoints.connectors(), [api]);
  const draft = useDraft<Fields>(`endpoint.${endpoint?.id ?? "new"}`, fieldsOf(endpoint), isSecret);
  const { fields, set } = draft;
  const { outcome, test } = useEndpointTest();
  const store = useStore(endpoint);
  const save = async (action: string) => {
    const id = await store(fields);
    const saved = action === SAVE_AND_TEST ? await api.endpoints.get(id) : null;
    draft.discard();
    onSaved(saved);
    if (saved) await test(id);
  };
  if (!connectors) return <Problem problem={problem} onRetry={reload} />;
  const connector = connectors.find(({ connector_type: type }) => type === fields.connector_type);
  const given = { fields, set, connector };
  return (
    <SaveForm actions={[SAVE_AND_TEST, "Save"]} onSave={save}>
      <UnsavedNote draft={draft} />
      <SelectField
        name="connector_type"
        label="Connector type"
        hint="How the server is talked to. The fields below are those of this type."
        value={fields.connector_type}
        options={connectors.map(({ connector_type: name }) => ({ value: name, title: name }))}
        onInput={set("connector_type")}
      />
      <Model {...given} hasToken={endpoint !== null} />
      <LimitsAndPrices {...given} />
      <Params {...given} />
      {outcome !== null && !draft.isChanged && <TestOfForm outcome={outcome} />}
    </SaveForm>
  );
}

/** Creates an endpoint once, and then changes it. @returns its id */
function useStore(endpoint: Endpoint | null) {
  const { api } = useConsole();
  const id = useRef(endpoint?.id);
  return async (fields: Fields): Promise<string> => {
    const input = toInput(fields, id.current !== undefined);
    if (id.current === undefined) id.current = (await api.endpoints.create(input)).id;
    else await api.endpoints.update(id.current, input);
    return id.current;
  };
}

interface PartProps {
  fields: Fields;
  set: (name: FieldName) => (value: string) => void;
  connector: Connector | undefined;
}

const TOKEN_HINT =
  "It is stored encrypted, and never shown. Or env:PROVIDER_NAME, a secret of the Worker. Empty if the server asks for none.";

/** @param props.hasToken whether the endpoint may have a token already */
const Model = ({ fields, set, connector, hasToken }: PartProps & { hasToken: boolean }) => (
  <>
    <NameField value={fields.name} onInput={set("name")} />
    {has(connector, "uri") && (
      <TextField
        name="uri"
        label="Address"
        required={needs(connector, "uri")}
        placeholder={connector?.default_uri ?? ""}
        value={fields.uri}
        onInput={set("uri")}
      />
    )}
    {has(connector, "token") && (
      <TextField
        name="token"
        label="Token"
        hint={TOKEN_HINT}
        isSecret
        placeholder={hasToken ? "Stays as it is" : ""}
        value={fields.token}
        onInput={set("token")}
      />
    )}
    {has(connector, "model") && (
      <TextField
        name="model"
        label="Model"
        required={needs(connector, "model")}
        value={fields.model}
        onInput={set("model")}
      />
    )}
  </>
);

const LimitsAndPrices = ({ fields, set }: PartProps) => (
  <>
    <div class="fields-row">
      {LIMITS.map(({ name, label }) => (
        <TextField
          key={name}
          name={name}
          label={label}
          hint="0 for no limit. It holds for all sessions together."
          type="number"
          min={0}
          step={1}
          value={fields[name]}
          onInput={set(name)}
        />
      ))}
    </div>
    <div class="fields-row">
      {PRICES.map(({ name, label }) => (
        <TextField
          key={name}
          name={`prices.${name}`}
          label={label}
          hint="Of a million tokens, in any currency."
          type="number"
          min={0}
          step="any"
          value={fields[name]}
          onInput={set(name)}
        />
      ))}
    </div>
  </>
);

const LIMITS = [
  { name: "max_calls_per_second", label: "Calls a second at most" },
  { name: "max_concurrency", label: "Calls at once at most" },
] as const;

const PRICES = [
  { name: "input_per_million", label: "Price of input" },
  { name: "output_per_million", label: "Price of output" },
] as const;

const Params = ({ fields, set, connector }: PartProps) => (
  <>
    <ParamsField hint={paramsHint(connector)} value={fields.params} onInput={set("params")} />
    <TextField
      name="pinned"
      label="Pinned params"
      hint="Names, with commas between them: params that no chatbot may override."
      placeholder="model, temperature"
      value={fields.pinned}
      onInput={set("pinned")}
    />
  </>
);

function paramsHint(connector: Connector | undefined): string {
  const others = "All others are sent to the provider as they are.";
  return connector && connector.params.length > 0 ? `Parley reads ${connector.params.join(", ")}. ${others}` : others;
}

/** All types have the other fields. */
const has = (connector: Connector | undefined, name: "uri" | "token" | "model"): boolean =>
  !connector || [...connector.required, ...connector.optional].includes(name);

const needs = (connector: Connector | undefined, name: string): boolean => connector?.required.includes(name) === true;
