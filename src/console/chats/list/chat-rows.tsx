/** Conversations as rows of a list. */
import type { ListedSession } from "../../../client/types.ts";
import { addressOf } from "../../router.ts";
import { clientTitle } from "../../shared/client-select.tsx";
import { plural, shortTime } from "../../shared/format.ts";
import "../../shared/rows.css";

export const ChatRows = ({ sessions }: { sessions: ListedSession[] }) => (
  <ul class="rows link-rows">
    {sessions.map((session) => (
      <li key={session.id}>
        <Row session={session} />
      </li>
    ))}
  </ul>
);

function Row({ session }: { session: ListedSession }) {
  const { id, title, status, handler, handover, messageCount, messages, createdAt, updatedAt } = session;
  const wait = handler === "waiting" ? handover : undefined;
  const time = wait?.since ?? updatedAt;
  const last = messages.at(-1)?.content;
  return (
    <a class="link-row" href={addressOf("chats", id)}>
      <span class="link-row-title">{title ?? last ?? "No message yet"}</span>
      <span class="link-row-detail">
        {[
          wait?.reason,
          ...peopleOf(session),
          plural(messageCount, "message"),
          `begun ${shortTime(new Date(createdAt))}`,
        ]
          .filter(Boolean)
          .join(" · ")}
      </span>
      <span class="link-row-state">
        <HandlerBadge handler={handler} />
        <StatusBadge status={status} />
      </span>
      <time class="link-row-detail" dateTime={time}>
        {wait ? "waits since" : "last"} {shortTime(new Date(time))}
      </time>
    </a>
  );
}

const peopleOf = ({ clientId, chatbotId }: ListedSession) => [clientId && clientTitle(clientId), chatbotId?.name];

function HandlerBadge({ handler }: { handler: ListedSession["handler"] }) {
  if (handler === "waiting") return <span class="badge badge-warn">waits for a person</span>;
  return handler === "human" ? <span class="badge badge-accent">a person answers</span> : null;
}

const StatusBadge = ({ status }: { status: ListedSession["status"] }) =>
  status === "ACTIVE" ? null : <span class="badge">{status.toLowerCase()}</span>;
