/**
 * Forms that make a call from the page, with the reader's token. The token is kept for this tab only, under the name that the
 * console uses too. Effects: the page, the tab's storage, calls to this host.
 */
import { element } from "./element.ts";

const TOKEN_KEY = "parley.token";

/** Characters of an answer that are shown. */
const LONGEST_ANSWER = 200_000;

interface Call {
  method: string;
  path: string;
  parameters: { name: string; place: string; required: boolean }[];
  body: string | null;
  streams: boolean;
}

interface Fields {
  token: HTMLInputElement;
  parameters: Map<string, HTMLInputElement>;
  body: HTMLTextAreaElement | null;
  streams: HTMLInputElement | null;
}

/** Most readers try one call of a page, so a form is made when it is opened. */
export function addTryForms(): void {
  for (const place of document.querySelectorAll<HTMLElement>(".try")) {
    const details = element("details", {}, element("summary", {}, "Try it"));
    details.addEventListener("toggle", () => {
      if (details.open && details.childElementCount === 1)
        details.append(...makeForm(JSON.parse(place.dataset["call"] ?? "{}") as Call));
    });
    place.append(details);
  }
}

function makeForm(call: Call): HTMLElement[] {
  const form = element("form", {});
  const fields = addFields(form, call);
  const send = element("button", { type: "submit", class: "primary" }, "Send");
  const stop = element("button", { type: "button" }, "Stop");
  stop.hidden = true;
  const answer = element("pre", { "aria-live": "polite", tabindex: "0" });
  answer.hidden = true;
  form.append(element("p", { class: "buttons" }, send, stop));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const abort = new AbortController();
    stop.onclick = () => abort.abort();
    stop.hidden = false;
    send.disabled = true;
    answer.hidden = false;
    void show(request(call, fields, abort.signal), answer).finally(() => {
      stop.hidden = true;
      send.disabled = false;
    });
  });
  return [form, answer];
}

function addFields(form: HTMLFormElement, call: Call): Fields {
  const token = element("input", { type: "password", autocomplete: "off", name: "token" });
  token.value = readToken();
  token.addEventListener("change", () => keepToken(token.value));
  form.append(element("label", {}, "Token", token));
  const parameters = new Map<string, HTMLInputElement>();
  for (const { name, place, required } of call.parameters) {
    const input = element("input", { type: "text", name, autocomplete: "off", spellcheck: "false" });
    input.required = required;
    parameters.set(name, input);
    form.append(element("label", {}, `${name} (${place}${required ? "" : ", optional"})`, input));
  }
  const body = call.body === null ? null : element("textarea", { name: "body", rows: "8", spellcheck: "false" });
  if (body) {
    body.value = call.body ?? "";
    form.append(element("label", {}, "Body", body));
  }
  const streams = call.streams ? element("input", { type: "checkbox", name: "streams" }) : null;
  if (streams) form.append(element("label", { class: "check" }, streams, "Stream the events"));
  return { token, parameters, body, streams };
}

function request(call: Call, fields: Fields, signal: AbortSignal): Promise<Response> {
  const { address, headers } = fillIn(call, fields);
  if (fields.token.value !== "") headers.set("authorization", `Bearer ${fields.token.value}`);
  if (fields.streams?.checked === true) headers.set("accept", "text/event-stream");
  if (fields.body) headers.set("content-type", "application/json");
  return fetch(address, { method: call.method, headers, signal, ...(fields.body ? { body: fields.body.value } : {}) });
}

/** Puts each parameter where it belongs. One without a value is left out. */
function fillIn(call: Call, fields: Fields): { address: string; headers: Headers } {
  let { path } = call;
  const headers = new Headers();
  const query = new URLSearchParams();
  for (const { name, place } of call.parameters) {
    const value = fields.parameters.get(name)?.value ?? "";
    if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (value !== "" && place === "query") query.set(name, value);
    else if (value !== "") headers.set(name, value);
  }
  return { address: query.size > 0 ? `${path}?${query}` : path, headers };
}

async function show(calling: Promise<Response>, place: HTMLElement): Promise<void> {
  const startedAt = performance.now();
  place.textContent = "…";
  try {
    const answer = await calling;
    place.textContent = `${answer.status} ${answer.statusText}, ${Math.round(performance.now() - startedAt)} ms\n\n`;
    if (answer.body && answer.headers.get("content-type")?.includes("text/event-stream"))
      await showStream(answer.body, place);
    else place.textContent += readable(await answer.text()).slice(0, LONGEST_ANSWER);
  } catch (error) {
    place.textContent += `\n${error instanceof DOMException && error.name === "AbortError" ? "Stopped." : `The call failed: ${String(error)}`}`;
  }
}

async function showStream(body: ReadableStream<Uint8Array>, place: HTMLElement): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  for (let shown = 0; shown < LONGEST_ANSWER;) {
    const { done, value } = await reader.read();
    if (done) return;
    shown += value.length;
    place.append(value);
  }
  await reader.cancel();
}

function readable(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** A browser may forbid its storage. A local start has a public token. */
function readToken(): string {
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname) ? "parley-dev" : "";
  try {
    return sessionStorage.getItem(TOKEN_KEY) ?? local;
  } catch {
    return local;
  }
}

function keepToken(token: string): void {
  try {
    sessionStorage.setItem(TOKEN_KEY, token);
  } catch {
    // The token holds for this form then.
  }
}
