/** The lists of chats: all, those who wait for a person, and ratings. A client has only its own chats. */
import { useConsole } from "../../context.ts";
import { addressOf } from "../../router.ts";

const SECTIONS = [
  ["chats", "All chats"],
  ["waiting", "Waiting"],
  ["ratings", "Ratings"],
] as const;

export function Sections({ current }: { current: (typeof SECTIONS)[number][0] }) {
  const { me } = useConsole();
  if (me.role === "client") return null;
  return (
    <nav class="sections" aria-label="Lists of chats">
      {SECTIONS.map(([name, title]) => (
        <a key={name} href={addressOf(name)} aria-current={name === current ? "page" : undefined}>
          {title}
        </a>
      ))}
    </nav>
  );
}
