/**
 * The frame of the console: sign-in, header, and the page of the address. Each page has a folder of its own, and is loaded when
 * it is shown first.
 */
import { useEffect, useMemo, useRef } from "preact/hooks";
import { PageOf } from "./frame/page-of.tsx";
import { ConsoleContext } from "./context.ts";
import { useCredentials } from "./credentials.ts";
import { Header } from "./frame/header.tsx";
import { pagesOf } from "./frame/pages.ts";
import { useRoute } from "./router.ts";
import { SignInPage } from "./sign-in/sign-in-page.tsx";

export function App() {
  const { signIn, useToken, signOut } = useCredentials();
  const route = useRoute();
  const console = useMemo(() => (signIn.state === "signed-in" ? { api: signIn.api, me: signIn.me } : null), [signIn]);
  const pages = console ? pagesOf(console.me.role) : [];
  const page = pages.find(({ name }) => name === route.page) ?? pages[0];
  useArrival(page?.title ?? "", `${route.page}/${route.id}`);
  if (signIn.state === "checking")
    return (
      <p class="loading" role="status">
        Loading …
      </p>
    );
  if (!console)
    return <SignInPage problem={signIn.state === "signed-out" ? signIn.problem : null} onToken={useToken} />;
  return (
    <ConsoleContext.Provider value={console}>
      <a class="skip" href="#main" onClick={skipToMain}>
        Skip to the page
      </a>
      <Header me={console.me} pages={pages} current={page} onSignOut={signOut} />
      <main id="main" tabIndex={-1}>
        {page && <PageOf name={page.name} {...(route.page === page.name ? route : { id: "", part: "" })} />}
      </main>
    </ConsoleContext.Provider>
  );
}

/** Whoever follows a link to another page finds the focus there, not lost with the link. */
function useArrival(title: string, address: string): void {
  const isFirst = useRef(true);
  useEffect(() => {
    const hasFocus = document.activeElement !== null && document.activeElement !== document.body;
    if (!isFirst.current && !hasFocus) document.getElementById("main")?.focus();
    isFirst.current = title === "";
  }, [title, address]);
}

/** The address holds the page, so a link to a place in it must not change it. */
function skipToMain(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
