/** The line above a conversation: who talks with whom, and what can be done with the whole. */
import { useState } from "preact/hooks";
import type { Me, PopulatedSession, Session } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { addressOf } from "../router.ts";
import { Drawer } from "../shared/drawer.tsx";
import { clientTitle } from "../shared/client-select.tsx";
import type { SessionConnection } from "../shared/session-connection.ts";
import { useKept } from "../shared/storage.ts";
import type { Run } from "./run.ts";
import type { Tool } from "./tools/tool.ts";

interface HeadProps {
  session: Session;
  /** The session with names, as soon as they are loaded. */
  named: PopulatedSession | null;
  /** Whether the client has written. */
  hasPrompt: boolean;
  connection: SessionConnection;
  run: Run;
  onTool: (tool: Tool) => void;
}

export function ConversationHead({ session, named, hasPrompt, connection, run, onTool }: HeadProps) {
  const names = namesOf(named);
  const { title } = session;
  return (
    <header class="session-head">
      <a class="button quiet" href={addressOf("chats")}>
        All chats
      </a>
      <h1 title={title}>{title ?? (names || "Chat")}</h1>
      <span class={`connection connection-${connection.state}`} role="status">
        {connection.state === "open" ? "live" : "connecting …"}
      </span>
      {title !== undefined && <span class="hint conversation-names">{names}</span>}
      <BranchLink session={session} />
      <Actions
        session={session}
        operator={named?.handover?.operator?.name ?? "a person"}
        hasPrompt={hasPrompt}
        run={run}
        onTool={onTool}
      />
    </header>
  );
}

function BranchLink({ session: { metadata } }: { session: Session }) {
  const from = metadata?.["branchedFrom"] as { sessionId: string; seq: number } | undefined;
  if (!from) return null;
  return <a href={addressOf("chats", from.sessionId, from.seq)}>Branch of another chat</a>;
}

const namesOf = (session: PopulatedSession | null): string =>
  [session?.clientId && clientTitle(session.clientId), session?.chatbotId?.name].filter(Boolean).join(" with ");

interface HandlingProps {
  session: Session;
  /** The name of the person who has taken over. */
  operator: string;
  run: Run;
}

function Actions({
  session,
  operator,
  hasPrompt,
  run,
  onTool,
}: HandlingProps & Pick<HeadProps, "hasPrompt" | "onTool">) {
  const { api, me } = useConsole();
  const { id, status } = session;
  const compare = hasPrompt && (me.role === "admin" || me.role === "service") && (
    <button type="button" onClick={() => onTool({ kind: "bridge", seq: null })}>
      Compare on other models
    </button>
  );
  if (status === "ACTIVE")
    return (
      <div class="head-actions">
        {compare}
        {me.role !== "client" && <Handling session={session} operator={operator} run={run} />}
        <button type="button" onClick={() => run(api.sessions.end(id))}>
          End
        </button>
      </div>
    );
  return (
    <div class="head-actions">
      {compare}
      {me.role !== "operator" && (
        <button type="button" onClick={() => run(api.sessions.update(id, { status: "ACTIVE" }))}>
          Reopen
        </button>
      )}
    </div>
  );
}

/** Who answers, and how that changes. */
function Handling({ session: { id, handler }, operator, run }: HandlingProps) {
  const { api } = useConsole();
  const [isAsking, setIsAsking] = useState(false);
  if (handler === "human")
    return (
      <>
        <span class="badge badge-accent">{operator} answers</span>
        <button type="button" onClick={() => run(api.sessions.handBack(id, {}))}>
          Hand back
        </button>
      </>
    );
  return (
    <>
      {handler === "waiting" && <span class="badge badge-warn">waits for a person</span>}
      <button type="button" class={handler === "waiting" ? "primary" : ""} onClick={() => setIsAsking(true)}>
        Take over
      </button>
      {isAsking && (
        <Drawer title="Take over" onClose={() => setIsAsking(false)}>
          <TakeOverForm id={id} run={run} onDone={() => setIsAsking(false)} />
        </Drawer>
      )}
    </>
  );
}

function TakeOverForm({ id, run, onDone }: { id: string; run: Run; onDone: () => void }) {
  const { api, me } = useConsole();
  const [name, setName] = useKept("operator", "");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    run(api.sessions.takeOver(id, { operator: { id: operatorId(me, name), name } }));
    onDone();
  };
  return (
    <form class="fields" onSubmit={submit}>
      <p class="hint">You answer in the chatbot's place until you hand back. A reply that is being written stops.</p>
      <label class="field">
        <span>Your name, as the client sees it</span>
        <input required maxLength={100} value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} />
      </label>
      <button type="submit" class="primary">
        Take over
      </button>
    </form>
  );
}

/** Several people may share a token: the name is what differs. */
const operatorId = ({ id }: Me, name: string): string => `${id}/${name.trim().toLowerCase()}`.slice(0, 100);
