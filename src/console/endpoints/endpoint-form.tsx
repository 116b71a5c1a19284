/** The fields of an endpoint: those that its connector type has. The token is never shown, only set. */
import { useState } from "preact/hooks";
import type { Connector, Endpoint } from "../../client/types.ts";
import { useConsole } from "../context.ts";
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
  const { value: connectors, problem } = useLoaded(() => api.endpoints.connectors(), [api]);
  const [fields, setFields] = useState<Fields>(() => fieldsOf(endpoint));
  const [failure, setFailure] = useState<unknown>(null);
  const connector = connectors?.find(({ connector_type: type }) => type === fields.connector_type);
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    try {
      const input = toInput(fields);
      if (endpoint) await api.endpoints.update(endpoint.id, input);
      else await api.endpoints.create(input);
      onSaved();
    } catch (error) {
      setFailure(error);
    }
  };
  const set = (name: FieldName) => (value: string) => setFields({ ...fields, [name]: value });
  if (!connectors) return <Problem problem={problem} />;
  return (
    <form class="fields" onSubmit={(event) => void save(event)}>
      <TypeSelect connectors={connectors} type={fields.connector_type} onChange={set("connector_type")} />
      {TEXT_FIELDS.filter(({ name }) => isShown(name, connector)).map((field) => (
        <TextField
          key={field.name}
          field={field}
          connector={connector}
          value={fields[field.name]}
          hasToken={endpoint !== null}
          onInput={set(field.name)}
        />
      ))}
      <Problem problem={failure} />
      <button type="submit" class="primary">
        Save
      </button>
    </form>
  );
}

interface TypeProps {
  connectors: Connector[];
  type: string;
  onChange: (type: string) => void;
}

const TypeSelect = ({ connectors, type, onChange }: TypeProps) => (
  <label class="field">
    <span>Connector type</span>
    <select value={type} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
      {connectors.map(({ connector_type: name }) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  </label>
);

interface Field {
  name: FieldName;
  label: string;
  type?: "number" | "password";
}

const TEXT_FIELDS: Field[] = [
  { name: "name", label: "Name" },
  { name: "uri", label: "Address" },
  { name: "token", label: "Token", type: "password" },
  { name: "model", label: "Model" },
  { name: "max_calls_per_second", label: "Calls a second at most, 0 for no limit", type: "number" },
  { name: "max_concurrency", label: "Calls at once at most, 0 for no limit", type: "number" },
  { name: "input_per_million", label: "Price of a million input tokens", type: "number" },
  { name: "output_per_million", label: "Price of a million output tokens", type: "number" },
  { name: "params", label: "Params, as JSON" },
];

/** Which of these a connector has depends on its type. All have the others. */
const OF_SOME_CONNECTORS = ["uri", "token", "model"];

const isShown = (name: string, connector?: Connector): boolean =>
  !OF_SOME_CONNECTORS.includes(name) || !connector || [...connector.required, ...connector.optional].includes(name);

interface TextFieldProps {
  field: Field;
  connector: Connector | undefined;
  value: string;
  /** Whether the endpoint may have a token already. */
  hasToken: boolean;
  onInput: (value: string) => void;
}

function TextField({ field: { name, label, type }, connector, value, hasToken, onInput }: TextFieldProps) {
  const isRequired = name === "name" || (connector?.required.includes(name) === true && name !== "token");
  const placeholder = placeholderOf(name, connector, hasToken);
  const onChange = ({ currentTarget }: { currentTarget: { value: string } }) => onInput(currentTarget.value);
  const shared = { value, required: isRequired, placeholder, spellcheck: false, autocomplete: "off" as const };
  return (
    <label class="field">
      <span>{label}</span>
      {name === "params" && <textarea {...shared} rows={3} onInput={onChange} />}
      {name !== "params" && type === undefined && <input {...shared} type="text" onInput={onChange} />}
      {type === "password" && <input {...shared} type="password" onInput={onChange} />}
      {type === "number" && <input {...shared} type="number" min={0} step="any" onInput={onChange} />}
    </label>
  );
}

function placeholderOf(name: FieldName, connector: Connector | undefined, hasToken: boolean): string {
  if (name === "uri") return connector?.default_uri ?? "";
  if (name === "token") return hasToken ? "Stays as it is" : "Or env:NAME, a secret of the Worker";
  return name === "params" ? '{"temperature": 0}' : "";
}
