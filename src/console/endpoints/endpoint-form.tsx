/** The fields of an endpoint: those that its connector type has. The token is never shown, only set. */
import type { Connector, Endpoint } from "../../client/types.ts";
import { useState } from "preact/hooks";
import { useConsole } from "../context.ts";
import { SelectField, TextField } from "../shared/form/fields.tsx";
import { SaveForm } from "../shared/form/save-form.tsx";
import { Problem } from "../shared/problem.tsx";
import { useLoaded } from "../shared/use-loaded.ts";
import { fieldsOf, toInput } from "./endpoint-fields.ts";
import type { FieldName, Fields } from "./endpoint-fields.ts";

interface FormProps {
  /** `null` for a new one. */
  endpoint: Endpoint | null;
  onSaved: () => void;
}

export function EndpointForm({ endpoint, onSaved }: FormProps) {
  const { api } = useConsole();
  const { value: connectors, problem, reload } = useLoaded(() => api.endpoints.connectors(), [api]);
  const [fields, setFields] = useState<Fields>(() => fieldsOf(endpoint));
  const save = async () => {
    const input = toInput(fields);
    if (endpoint) await api.endpoints.update(endpoint.id, input);
    else await api.endpoints.create(input);
    onSaved();
  };
  if (!connectors) return <Problem problem={problem} onRetry={reload} />;
  const set = (name: FieldName) => (value: string) => setFields({ ...fields, [name]: value });
  const connector = connectors.find(({ connector_type: type }) => type === fields.connector_type);
  const given = { fields, set, connector };
  return (
    <SaveForm onSave={save}>
      <SelectField
        label="Connector type"
        hint="How the server is talked to. The fields below are those of this type."
        value={fields.connector_type}
        options={connectors.map(({ connector_type: name }) => ({ value: name, title: name }))}
        onInput={set("connector_type")}
      />
      <Model {...given} hasToken={endpoint !== null} />
      <LimitsAndPrices {...given} />
      <Params {...given} />
    </SaveForm>
  );
}

interface PartProps {
  fields: Fields;
  set: (name: FieldName) => (value: string) => void;
  connector: Connector | undefined;
}

/** @param props.hasToken whether the endpoint may have a token already */
const Model = ({ fields, set, connector, hasToken }: PartProps & { hasToken: boolean }) => (
  <>
    <TextField label="Name" required maxLength={200} value={fields.name} onInput={set("name")} />
    {has(connector, "uri") && (
      <TextField
        label="Address"
        required={needs(connector, "uri")}
        placeholder={connector?.default_uri ?? ""}
        value={fields.uri}
        onInput={set("uri")}
      />
    )}
    {has(connector, "token") && (
      <TextField
        label="Token"
        hint="It is kept encrypted, and never shown. Or env:NAME, a secret of the Worker."
        isSecret
        placeholder={hasToken ? "Stays as it is" : ""}
        value={fields.token}
        onInput={set("token")}
      />
    )}
    {has(connector, "model") && (
      <TextField label="Model" required={needs(connector, "model")} value={fields.model} onInput={set("model")} />
    )}
  </>
);

const LimitsAndPrices = ({ fields, set }: PartProps) => (
  <>
    <div class="fields-row">
      {LIMITS.map(({ name, label }) => (
        <TextField
          key={name}
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
    <TextField
      label="Params, as JSON"
      hint={paramsHint(connector)}
      rows={3}
      placeholder='{"temperature": 0}'
      value={fields.params}
      onInput={set("params")}
    />
    <TextField
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
