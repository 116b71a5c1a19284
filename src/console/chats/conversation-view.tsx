/** A conversation, live: whoever writes to it, it is seen here. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { useConsole } from "../context.ts";
import { addressOf } from "../router.ts";
import { useChanges } from "../shared/observable.ts";
import { Problem } from "../shared/problem.tsx";
import { SessionConnection } from "../shared/session-connection.ts";
import { useLoaded } from "../shared/use-loaded.ts";
import { Composer } from "./composer.tsx";
import { Conversation } from "./conversation.ts";
import { ConversationHead } from "./conversation-head.tsx";
import { Messages } from "./messages.tsx";
import type { Tool } from "./tools/tool.ts";
import { ToolDrawer } from "./tools/tool-drawer.tsx";

export function ConversationView({ id, target }: { id: string; target: number | null }) {
  const { api } = useConsole();
  const conversation = useMemo(() => new Conversation(), [id]);
  const connection = useMemo(
    () => new SessionConnection(id, conversation, (after) => api.sessions.openSocket(id, after, { retries: 0 })),
    [api, id],
  );
  useEffect(() => () => connection.close(), [connection]);
  useChanges(conversation);
  useChanges(connection);
  const [failure, setFailure] = useState<unknown>(null);
  const [tool, setTool] = useState<Tool | null>(null);
  const { session } = conversation;
  // Events name nobody: neither client and chatbot, nor who has taken over.
  const { value: named } = useLoaded(() => api.sessions.get(id), [id, session?.handler]);
  if (!session) return <Opening problem={connection.problem} />;
  /** Makes a call, and shows why it failed. What it changes comes over the connection. */
  const run = (call: Promise<unknown>) =>
    void call.then(
      () => setFailure(null),
      (error: unknown) => setFailure(error),
    );
  return (
    <section class="conversation" aria-label="Conversation">
      <ConversationHead
        session={session}
        named={named}
        hasPrompt={conversation.shown.some(({ role }) => role === "user")}
        connection={connection}
        run={run}
        onTool={setTool}
      />
      <Messages session={session} conversation={conversation} target={target} run={run} onTool={setTool} />
      <footer class="next-prompt">
        <Problem problem={failure ?? connection.problem} />
        <Composer session={session} conversation={conversation} connection={connection} run={run} />
      </footer>
      {tool && <ToolDrawer id={id} tool={tool} conversation={conversation} onClose={() => setTool(null)} />}
    </section>
  );
}

const Opening = ({ problem }: { problem: string | null }) =>
  problem === null ? (
    <p class="loading" role="status">
      Opening the conversation …
    </p>
  ) : (
    <section class="page">
      <h1>This conversation cannot be opened</h1>
      <Problem problem={problem} />
      <p>
        <a href={addressOf("chats")}>All chats</a>
      </p>
    </section>
  );
