/** Where one writes into a conversation: as its client, or, after a take-over, as the person who answers. */
import { useState } from "preact/hooks";
import type { Session } from "../../client/types.ts";
import { PromptForm } from "../shared/prompt-form.tsx";
import { useConsole } from "../context.ts";
import { StopIcon } from "../shared/icons.tsx";
import type { SessionConnection } from "../shared/session-connection.ts";
import type { Conversation } from "./conversation.ts";
import type { Run } from "./run.ts";

interface ComposerProps {
  session: Session;
  conversation: Conversation;
  connection: SessionConnection;
  run: Run;
}

type Writer = "client" | "person";

export function Composer({ session, conversation, connection, run }: ComposerProps) {
  const { api, me } = useConsole();
  const [chosen, setChosen] = useState<Writer>("person");
  const writers = writersOf(me.role, session);
  const writer = writers.includes(chosen) ? chosen : writers[0];
  if (session.status !== "ACTIVE")
    return <p class="hint">This chat takes no messages: it is {session.status.toLowerCase()}.</p>;
  if (!writer) return <p class="hint">The chatbot answers. Take over to write to the client.</p>;
  const send = (text: string): boolean | Promise<boolean> => {
    if (writer === "client") return connection.prompt(text);
    const sent = api.sessions.addMessage(session.id, { message: { role: "assistant", content: text } });
    run(sent);
    return sent.then(
      () => true,
      () => false,
    );
  };
  return (
    <PromptForm
      draftName={session.id}
      label={writer === "client" ? "Message of the client" : "Answer to the client"}
      hint={connection.state === "open" ? "" : "Connecting …"}
      isReady={connection.state !== "closed"}
      refused={connection.refusedPrompt}
      onSend={send}
    >
      {writers.length > 1 && <WriterSelect writer={writer} onChange={setChosen} />}
      {conversation.running && me.role !== "operator" && (
        <button type="button" onClick={() => connection.stop()}>
          <StopIcon />
          Stop
        </button>
      )}
    </PromptForm>
  );
}

/** As whom this token may write now. */
function writersOf(role: string, { handler }: Session): Writer[] {
  const asPerson: Writer[] = handler === "human" && role !== "client" ? ["person"] : [];
  return role === "operator" ? asPerson : [...asPerson, "client"];
}

const WriterSelect = ({ writer, onChange }: { writer: Writer; onChange: (writer: Writer) => void }) => (
  <select
    class="writer"
    aria-label="Write as"
    value={writer}
    onChange={({ currentTarget }) => onChange(currentTarget.value as Writer)}
  >
    <option value="person">as the person who answers</option>
    <option value="client">as the client</option>
  </select>
);
