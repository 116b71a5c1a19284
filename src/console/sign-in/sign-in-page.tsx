/** The sign-in with a token. */
import { useRef, useState } from "preact/hooks";
import { ParleyError } from "../../client/errors.ts";
import { Problem } from "../shared/problem.tsx";
import "./sign-in.css";

const REFUSED =
  "The server refused the token. It may be cut off, revoked or expired: copy it again, or ask an admin for a new one.";

const isRefused = (problem: unknown): boolean => problem instanceof ParleyError && problem.status === 401;

interface SignInProps {
  problem: unknown;
  onToken: (token: string) => Promise<void>;
}

export function SignInPage({ problem, onToken }: SignInProps) {
  const [failure, setFailure] = useState<unknown>(problem);
  const [isBusy, setIsBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setIsBusy(true);
    await onToken(field.current?.value.trim() ?? "").catch(setFailure);
    setIsBusy(false);
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={(event) => void submit(event)}>
        <p class="wordmark">Parley</p>
        <h1>Sign in</h1>
        <label class="field">
          <span>Token</span>
          <input ref={field} name="token" type="password" required autocomplete="off" spellcheck={false} autofocus />
        </label>
        <Problem problem={isRefused(failure) ? REFUSED : failure} />
        <button type="submit" class="primary" disabled={isBusy}>
          {isBusy ? "Signing in …" : "Sign in"}
        </button>
        <p class="hint">
          An admin key, an API key or a token of your identity provider. It stays in this tab, and is gone when you
          close it. A local start prints its key.
        </p>
      </form>
    </main>
  );
}
