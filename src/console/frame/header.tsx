/** The line above every page: where one can go, who one is, light or dark. */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Me } from "../../client/types.ts";
import { addressOf } from "../router.ts";
import type { Page } from "./pages.ts";
import { ThemeSwitch } from "./theme.tsx";
import { WaitingLink } from "./waiting-link.tsx";

interface HeaderProps {
  me: Me;
  pages: Page[];
  current: Page | undefined;
  onSignOut: () => void;
}

export function Header({ me, pages, current, onSignOut }: HeaderProps) {
  const nav = useRef<HTMLElement>(null);
  const section = current?.within ?? current?.name;
  // In a narrow window the line is wider than its place.
  useLayoutEffect(() => {
    nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [section]);
  return (
    <header class="top">
      <a class="wordmark" href={addressOf("")} aria-label="Parley, start">
        Parley
      </a>
      <nav ref={nav} aria-label="Pages">
        {pages
          .filter(({ within }) => within === undefined)
          .map(({ name, title }) => (
            <a key={name} href={addressOf(name)} aria-current={name === section ? "page" : undefined}>
              {title}
            </a>
          ))}
        <a href="/docs">API</a>
      </nav>
      <WaitingLink />
      <span class="role" title={me.id}>
        {me.id === "anonymous" ? `no token, ${me.role}` : me.role}
      </span>
      <ThemeSwitch />
      <button type="button" class="quiet" onClick={onSignOut}>
        {me.id === "anonymous" ? "Sign in" : "Sign out"}
      </button>
    </header>
  );
}
