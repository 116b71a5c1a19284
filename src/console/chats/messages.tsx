/** The messages of a conversation, and the reply that is being written. */
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { Session } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { EndpointTitles } from "../shared/endpoint-titles.tsx";
import { useFollowedPlace } from "../shared/use-followed-place.ts";
import { Elapsed, STATE_TEXT } from "../shared/replies/figures.tsx";
import type { Reply } from "../shared/replies/reply.ts";
import { StreamedText } from "../shared/replies/streamed-text.tsx";
import { useChanges } from "../shared/observable.ts";
import type { ChatMessage, Conversation } from "./conversation.ts";
import { useMessageFacts } from "./message-facts.ts";
import { MessageItem } from "./message-item.tsx";
import type { Run } from "./run.ts";
import type { Tool } from "./tools/tool.ts";

interface MessagesProps {
  session: Session;
  conversation: Conversation;
  /** The message to show first. */
  target: number | null;
  run: Run;
  onTool: (tool: Tool) => void;
}

export function Messages({ session: { id, status }, conversation, target, run, onTool }: MessagesProps) {
  const { api } = useConsole();
  const scroller = useRef<HTMLDivElement>(null);
  useFollowedPlace(scroller, conversation, target === null ? null : ".message-target");
  const { facts, reload } = useMessageFacts(id);
  const { shown, running } = conversation;
  const shownTarget = target === null ? null : conversation.shownVariantOf(target);
  const change = (call: Promise<unknown>) => run(call.then(reload));
  return (
    <div class="messages" ref={scroller} tabIndex={0} role="log" aria-label="Messages">
      {target !== null && shownTarget === null && conversation.has(target) && (
        <OffPath onShow={() => change(api.sessions.activate(id, target))} />
      )}
      <ol class="messages-inside">
        <EndpointTitles endpoints={adoptedFrom(shown)}>
          {shown.map((message) => (
            <Item key={message.seq} message={message} target={message.seq === shownTarget ? target : null}>
              <MessageItem
                id={id}
                message={message}
                shown={shown}
                variants={conversation.variantsOf(message)}
                facts={facts?.get(message.seq)}
                isActive={status === "ACTIVE"}
                run={change}
                onChanged={reload}
                onTool={onTool}
              />
            </Item>
          ))}
        </EndpointTitles>
        {running && <RunningReply reply={running.reply} />}
        {shown.length === 0 && !running && <li class="hint">No message yet.</li>}
      </ol>
    </div>
  );
}

/** The endpoints whose answers were adopted. */
const adoptedFrom = (shown: ChatMessage[]): string[] =>
  shown.flatMap(({ author }) => (author?.kind === "adopted" && author.endpoint !== null ? author.endpoint : []));

/** Instead of a message that is looked for and is on no path that is shown. */
function OffPath({ onShow }: { onShow: () => void }) {
  const { me } = useConsole();
  return (
    <div class="note off-path" role="status">
      <span>The message that you looked for is in another variant of this chat, which is not shown now.</span>
      {me.role !== "operator" && (
        <button type="button" onClick={onShow}>
          Show that variant
        </button>
      )}
    </div>
  );
}

interface PlaceProps {
  message: ChatMessage;
  /** What is looked for, if it is here or has this one in its place. */
  target: number | null;
  children: ComponentChildren;
}

const Item = ({ message: { seq, role }, target, children }: PlaceProps) => (
  <li class={`message message-${role}${target === null ? "" : " message-target"}`} data-seq={seq}>
    {target !== null && target !== seq && (
      <p class="note">The message that you looked for is another variant of this one.</p>
    )}
    {children}
  </li>
);

function RunningReply({ reply }: { reply: Reply }) {
  useChanges(reply);
  return (
    <li class="message message-assistant">
      <article aria-label="Reply, being written" aria-busy="true">
        <StreamedText reply={reply} />
        <footer class="answer-foot">
          <span class={`state state-${reply.state}`}>{STATE_TEXT[reply.state]}</span>
          <Elapsed reply={reply} />
        </footer>
      </article>
    </li>
  );
}
