/** Leads to those who wait for a person, as long as somebody does. A screen reader reads it aloud when that changes. */
import { addressOf } from "../router.ts";
import { useWaitingCount } from "../waiting/waiting-count.ts";

export function WaitingLink() {
  const count = useWaitingCount();
  return (
    <span class="waiting-link" role="status">
      {count > 0 && (
        <a class="badge badge-warn" href={addressOf("waiting")}>
          {count}
          <span class="unseen"> chats</span> waiting
        </a>
      )}
    </span>
  );
}
