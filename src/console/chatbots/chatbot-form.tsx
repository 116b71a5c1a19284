/** The fields of a chatbot. What was written and not saved is still there when the form is opened again. */
import type { Chatbot, Endpoint } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { NameField, SelectField, TextField } from "../shared/form/fields.tsx";
import { ParamsField } from "../shared/form/params-field.tsx";
import { SaveForm } from "../shared/form/save-form.tsx";
import { mayHoldSecret } from "../shared/form/secrets.ts";
import { UnsavedNote } from "../shared/form/unsaved-note.tsx";
import { useDraft } from "../shared/form/use-draft.ts";
import type { Draft } from "../shared/form/use-draft.ts";
import { fieldsOf, toChanges, toNew } from "./chatbot-fields.ts";
import type { Fields } from "./chatbot-fields.ts";

interface FormProps {
  /** `null` for a new one. */
  chatbot: Chatbot | null;
  endpoints: Endpoint[];
  onSaved: () => void;
}

export function ChatbotForm({ chatbot, endpoints, onSaved }: FormProps) {
  const { api } = useConsole();
  const draft = useDraft<Fields>(`chatbot.${chatbot?.id ?? "new"}`, fieldsOf(chatbot), isSecret);
  const save = async () => {
    if (chatbot) await api.chatbots.update(chatbot.id, toChanges(draft.fields));
    else await api.chatbots.create(toNew(draft.fields));
    draft.discard();
    onSaved();
  };
  return (
    <SaveForm onSave={save}>
      <UnsavedNote draft={draft} />
      <Persona draft={draft} endpoints={endpoints} />
      <Context draft={draft} endpoints={endpoints} />
      <Others draft={draft} />
    </SaveForm>
  );
}

const isSecret = (field: string, value: string): boolean => field === "params" && mayHoldSecret(value);

interface PartProps {
  draft: Pick<Draft<Fields>, "fields" | "set">;
  endpoints: Endpoint[];
}

const optionsOf = (endpoints: Endpoint[]) => endpoints.map(({ id, name }) => ({ value: id, title: name }));

const Persona = ({ draft: { fields, set }, endpoints }: PartProps) => (
  <>
    <NameField value={fields.name} onInput={set("name")} />
    <SelectField
      name="endpointId"
      label="Endpoint"
      hint="The model that answers."
      required
      none="Choose one"
      value={fields.endpointId}
      options={optionsOf(endpoints)}
      onInput={set("endpointId")}
    />
    <TextField
      name="systemPrompt"
      label="System prompt"
      hint="Instructions to the model, sent before the messages of every call. Clients do not see them."
      rows={6}
      value={fields.systemPrompt}
      onInput={set("systemPrompt")}
    />
    <TextField
      name="greeting"
      label="Greeting"
      hint="The first message of each new chat, by the chatbot."
      rows={2}
      value={fields.greeting}
      onInput={set("greeting")}
    />
    <TextField
      name="description"
      label="Description"
      hint="Clients see it."
      maxLength={1000}
      value={fields.description}
      onInput={set("description")}
    />
  </>
);

const KEEPS = [
  { value: "newest", title: "left out" },
  { value: "summary", title: "replaced by a summary" },
];

/** How much of a conversation goes along with each call. */
const Context = ({ draft: { fields, set }, endpoints }: PartProps) => (
  <fieldset class="fields">
    <legend>What goes along with each call</legend>
    <div class="fields-row">
      <TextField
        name="historyLimit"
        label="Messages at most"
        hint="The newest ones of the chat, up to 1,000."
        type="number"
        required
        min={1}
        max={1000}
        value={fields.historyLimit}
        onInput={set("historyLimit")}
      />
      <TextField
        name="context.maxTokens"
        label="Tokens at most"
        hint="By an estimate: characters / 4. Empty: no limit."
        type="number"
        min={1}
        max={10_000_000}
        value={fields.maxTokens}
        onInput={set("maxTokens")}
      />
    </div>
    {fields.maxTokens !== "" && <OlderMessages draft={{ fields, set }} endpoints={endpoints} />}
  </fieldset>
);

const OlderMessages = ({ draft: { fields, set }, endpoints }: PartProps) => (
  <>
    <SelectField
      name="context.keep"
      label="Older messages that do not fit are"
      value={fields.keep}
      options={KEEPS}
      onInput={set("keep")}
    />
    {fields.keep === "summary" && (
      <SelectField
        name="context.summaryEndpointId"
        label="Summaries are made by"
        none="The chatbot's own endpoint"
        value={fields.summaryEndpointId}
        options={optionsOf(endpoints)}
        onInput={set("summaryEndpointId")}
      />
    )}
  </>
);

const Others = ({ draft: { fields, set } }: Pick<PartProps, "draft">) => (
  <>
    <ParamsField
      hint="Of each call. They take the place of those of the endpoint."
      value={fields.params}
      onInput={set("params")}
    />
    <TextField
      name="takeoverTimeoutMinutes"
      label="The chatbot answers again after, in minutes"
      hint="When a person who took over a chat says nothing for so long. Empty: only when that person hands it back."
      type="number"
      min={1}
      max={10_080}
      value={fields.takeoverTimeoutMinutes}
      onInput={set("takeoverTimeoutMinutes")}
    />
  </>
);
