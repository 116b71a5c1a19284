/** Begins a conversation of a client with a chatbot. */
import { useState } from "preact/hooks";
import { useConsole } from "../../context.ts";
import { goTo } from "../../router.ts";
import { ClientSelect } from "../../shared/client-select.tsx";
import { Drawer } from "../../shared/drawer.tsx";
import { SelectField, TextField } from "../../shared/form/fields.tsx";
import { SaveForm } from "../../shared/form/save-form.tsx";
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
  const [chatbotId, setChatbotId] = useState("");
  const [clientId, setClientId] = useState("");
  const [title, setTitle] = useState("");
  const { value, problem, reload } = useLoaded(() => listAll((query) => api.chatbots.list(query)), [api]);
  const begin = async () => {
    const { id } = await api.sessions.create({ chatbotId, clientId, ...(title === "" ? {} : { title }) });
    goTo("chats", id);
  };
  if (!value) return <Problem problem={problem} onRetry={reload} />;
  return (
    <SaveForm action="Begin" onSave={begin}>
      <SelectField
        label="Chatbot"
        none="Choose one"
        required
        value={chatbotId}
        options={value.map(({ id, name }) => ({ value: id, title: name }))}
        onInput={setChatbotId}
      />
      <ClientSelect label="Client" none="Choose one" required value={clientId} onChange={setClientId} />
      <TextField label="Title" maxLength={200} placeholder="None" value={title} onInput={setTitle} />
    </SaveForm>
  );
}
