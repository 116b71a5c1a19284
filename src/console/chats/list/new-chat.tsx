/** Begins a conversation of a client with a chatbot. */
import { useState } from "preact/hooks";
import { useConsole } from "../../context.ts";
import { goTo } from "../../router.ts";
import { Drawer } from "../../shared/drawer.tsx";
import { PlusIcon } from "../../shared/icons.tsx";
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
  const { value, problem, reload } = useLoaded(
    async () => ({
      chatbots: await api.chatbots.list({ limit: 100 }),
      clients: await api.clients.list({ limit: 100 }),
    }),
    [api],
  );
  const [failure, setFailure] = useState<unknown>(null);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const [chatbot, client, title] = [...(event.currentTarget as HTMLFormElement).elements] as (
      | HTMLSelectElement
      | HTMLInputElement
    )[];
    try {
      const fields = { chatbotId: chatbot?.value ?? "", clientId: client?.value ?? "" };
      const { id } = await api.sessions.create({ ...fields, ...(title?.value ? { title: title.value } : {}) });
      goTo("chats", id);
    } catch (error) {
      setFailure(error);
    }
  };
  if (!value) return <Problem problem={problem} onRetry={reload} />;
  return (
    <form class="fields" onSubmit={(event) => void submit(event)}>
      <NamedSelect label="Chatbot" options={value.chatbots.results} />
      <NamedSelect label="Client" options={value.clients.results} />
      <label class="field">
        <span>Title</span>
        <input maxLength={200} placeholder="None" />
      </label>
      <Problem problem={failure} />
      <button type="submit" class="primary">
        Begin
      </button>
    </form>
  );
}

const NamedSelect = ({ label, options }: { label: string; options: { id: string; name: string }[] }) => (
  <label class="field">
    <span>{label}</span>
    <select required>
      {options.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  </label>
);
