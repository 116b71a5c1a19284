/** The messages of a conversation, and the reply that is being written. */
import { useRef } from "preact/hooks";
import type { Session } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { useFollowedEnd } from "../shared/use-followed-end.ts";
import { Elapsed, STATE_TEXT } from "../shared/replies/figures.tsx";
import type { Reply } from "../shared/replies/reply.ts";
import { StreamedText } from "../shared/replies/streamed-text.tsx";
import { useChanges } from "../shared/observable.ts";
import { useLoaded } from "../shared/use-loaded.ts";
import type { Conversation } from "./conversation.ts";
import { MessageItem } from "./message-item.tsx";
import type { Run } from "./run.ts";

interface MessagesProps {
  session: Session;
  conversation: Conversation;
  run: Run;
}

export function Messages({ session: { id, status }, conversation, run }: MessagesProps) {
  const { api } = useConsole();
  const scroller = useRef<HTMLDivElement>(null);
  useFollowedEnd(scroller, conversation);
  // Events have no ratings.
  const { value: ratings, reload } = useLoaded(async () => {
    const { messages } = await api.sessions.messages(id, { limit: 1000 });
    return new Map(messages.map(({ seq, feedback }) => [seq, feedback?.rating ?? null]));
  }, [id]);
  const shown = conversation.shown;
  const change = (call: Promise<unknown>) => run(call.then(reload));
  return (
    <div class="messages" ref={scroller} tabIndex={0} role="log" aria-label="Messages">
      <ol class="messages-inside">
        {shown.map((message) => (
          <li key={message.seq} class={`message message-${message.role}`}>
            <MessageItem
              id={id}
              message={message}
              variants={conversation.variantsOf(message)}
              rating={ratings?.get(message.seq) ?? null}
              isActive={status === "ACTIVE"}
              run={change}
            />
          </li>
        ))}
        {conversation.running && (
          <li class="message message-assistant">
            <RunningReply reply={conversation.running.reply} />
          </li>
        )}
        {shown.length === 0 && !conversation.running && <li class="hint">No message yet.</li>}
      </ol>
    </div>
  );
}

function RunningReply({ reply }: { reply: Reply }) {
  useChanges(reply);
  return (
    <article aria-label="Reply, being written" aria-busy="true">
      <StreamedText reply={reply} />
      <footer class="answer-foot">
        <span class={`state state-${reply.state}`}>{STATE_TEXT[reply.state]}</span>
        <Elapsed reply={reply} />
      </footer>
    </article>
  );
}
