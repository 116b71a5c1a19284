/** Begins a conversation of a client with a chatbot. */
import { useState } from "preact/hooks";
import { useConsole } from "../../context.ts";
import { goTo } from "../../router.ts";
import { ClientSelect } from "../../shared/client-select.tsx";
import { Drawer } from "../../shared/drawer.tsx";
import { SelectField, TextField } from "../../shared/form/fields.tsx";
import { SaveForm } from "../../shared/form/save-form.tsx";
import { UnsavedNote } from "../../shared/form/unsaved-note.tsx";
import { useDraft } from "../../shared/form/use-draft.ts";
import { PlusIcon } from "../../shared/icons.tsx";
import { listAll } from "../../shared/list-all.ts";
import { Problem } from "../../shared/problem.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";

export function NewChat() {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setIsOpen(true)}>
        <PlusIcon />
        New chat
      </button>
      {isOpen && (
        <Drawer title="New chat" onClose={() => setIsOpen(false)}>
          <NewChatForm />
        </Drawer>
      )}
    </>
  );
}

function NewChatForm() {
  const { api } = useConsole();
  const draft = useDraft("chat.new", { chatbotId: "", clientId: "", title: "" });
  const { fields, set } = draft;
  const { value, problem, reload } = useLoaded(() => listAll((query) => api.chatbots.list(query)), [api]);
  const begin = async () => {
    const { title, ...who } = fields;
    const { id } = await api.sessions.create({ ...who, ...(title === "" ? {} : { title }) });
    draft.discard();
    goTo("chats", id);
  };
  if (!value) return <Problem problem={problem} onRetry={reload} />;
  return (
    <SaveForm actions={["Begin"]} onSave={begin}>
      <UnsavedNote draft={draft} />
      <SelectField
        name="chatbotId"
        label="Chatbot"
        none="Choose one"
        required
        value={fields.chatbotId}
        options={value.map(({ id, name }) => ({ value: id, title: name }))}
        onInput={set("chatbotId")}
      />
      <ClientSelect label="Client" none="Choose one" required value={fields.clientId} onChange={set("clientId")} />
      <TextField
        name="title"
        label="Title"
        maxLength={200}
        placeholder="None"
        value={fields.title}
        onInput={set("title")}
      />
    </SaveForm>
  );
}
