/** The start of a run: its items, its endpoints, and how they are put. */
import { useMemo, useState } from "preact/hooks";
import { ParleyError } from "../../../client/errors.ts";
import { listChoices } from "../../compare/setup/choices.ts";
import { EndpointPicker } from "../../compare/setup/endpoint-picker.tsx";
import { NO_SETTINGS, SettingsFields, settingsInput } from "../../compare/setup/settings-fields.tsx";
import type { Settings } from "../../compare/setup/settings-fields.tsx";
import { useConsole } from "../../context.ts";
import { goTo } from "../../router.ts";
import { useDraft } from "../../shared/form/use-draft.ts";
import type { Draft } from "../../shared/form/use-draft.ts";
import { withLabels } from "../../shared/form/field-labels.ts";
import { plural } from "../../shared/format.ts";
import { Problem } from "../../shared/problem.tsx";
import { useKept } from "../../shared/storage.ts";
import { useLoaded } from "../../shared/use-loaded.ts";
import { ItemsField, withName } from "./items-field.tsx";
import type { GivenItems } from "./items-field.tsx";
import { readItems } from "./items-text.ts";
import { DEFAULT_AMOUNTS, AmountFields } from "./amount-fields.tsx";
import "../../compare/compare.css";

/** As many as the API takes. */
const MAX_ANSWERS = 1_000_000;

export function NewRun() {
  const { api } = useConsole();
  const { value: choices, problem, reload } = useLoaded(() => listChoices(api), [api]);
  const [kept, setChosen] = useKept<string[]>("run-endpoints", []);
  const draft = useDraft("run.new", NOTHING_WRITTEN);
  const [file, setFile] = useState<GivenItems | null>(null);
  const pasted = useMemo(() => withName(readItems(draft.fields.items), ""), [draft.fields.items]);
  const items = file ?? pasted;
  // What was chosen last may have been deleted.
  const endpoints = kept.filter((id) => choices?.some((choice) => choice.id === id));
  return (
    <section class="page new-run">
      <h1>New run</h1>
      <Problem problem={problem} onRetry={reload} />
      <ItemsField given={items} text={draft.fields.items} onText={draft.set("items")} onFile={setFile} />
      <EndpointPicker choices={choices} chosen={endpoints} onChange={setChosen} />
      <StartForm draft={draft} items={items} endpoints={endpoints} />
    </section>
  );
}

const NOTHING_WRITTEN = { items: "", name: "" };

interface StartProps {
  draft: Draft<typeof NOTHING_WRITTEN>;
  items: GivenItems | null;
  endpoints: string[];
}

/** How the items are put, and the start. */
function StartForm({ draft, items, endpoints }: StartProps) {
  const [settings, setSettings] = useKept<Settings>("run-settings", NO_SETTINGS);
  const [amounts, setAmounts] = useKept("run-amounts", DEFAULT_AMOUNTS);
  const { name } = draft.fields;
  const { run, problem, isBusy } = useStart(draft.discard);
  const refusal = refusalOf(items, endpoints, amounts.repeat);
  const start = (event: SubmitEvent) => {
    event.preventDefault();
    const page = (event.currentTarget as HTMLFormElement).closest("section");
    const fields = { name: name || nameOf(items), endpoints, ...settingsInput(settings), ...amounts };
    if (items && page && refusal === null) void run(items, fields, page);
  };
  return (
    <form class="fields" onSubmit={start}>
      <label class="field">
        <span>Name</span>
        <input
          name="name"
          value={name}
          maxLength={100}
          placeholder={nameOf(items)}
          onInput={({ currentTarget }) => draft.set("name")(currentTarget.value)}
        />
      </label>
      <AmountFields amounts={amounts} onChange={setAmounts} />
      <details class="more">
        <summary>System prompt, template, what goes along</summary>
        <SettingsFields settings={settings} set={(field) => (value) => setSettings({ ...settings, [field]: value })} />
      </details>
      <StartProblem problem={problem} />
      <div class="start-line">
        <button type="submit" class="primary" disabled={refusal !== null || isBusy}>
          {isBusy ? "Starting …" : "Start run"}
        </button>
        <span class="hint">{refusal ?? amountText(items, endpoints.length, amounts.repeat)}</span>
      </div>
    </form>
  );
}

const nameOf = (items: GivenItems | null): string => items?.fileName.replace(/\.\w+$/, "") || "Run";

function refusalOf(items: GivenItems | null, endpoints: string[], repeat: number): string | null {
  if (!items) return "Give the items";
  if (endpoints.length === 0) return "Choose at least one endpoint";
  return (items.count ?? 0) * endpoints.length * repeat > MAX_ANSWERS ? "At most 1,000,000 answers" : null;
}

const amountText = (items: GivenItems | null, endpoints: number, repeat: number): string =>
  items?.count == null
    ? `${plural(endpoints * repeat, "answer")} for each prompt`
    : `${plural(items.count * endpoints * repeat, "answer")}, more if items have several turns`;

/** What is wrong with the items comes by line. */
const StartProblem = ({ problem }: { problem: unknown }) =>
  problem instanceof ParleyError && problem.details.length > 0 ? (
    <div class="note note-bad" role="alert">
      <span>Nothing was made. What to change:</span>
      <ul class="issues">
        {problem.details.map(({ path, message }, index) => (
          <li key={index}>{path === "" || message.startsWith("Line") ? message : `${path}: ${message}`}</li>
        ))}
      </ul>
    </div>
  ) : (
    <Problem problem={problem} />
  );

type Fields = { name: string; endpoints: string[] } & ReturnType<typeof settingsInput> & typeof DEFAULT_AMOUNTS;

/** Makes the run, and leads to it. */
function useStart(onStarted: () => void) {
  const { api } = useConsole();
  const [problem, setProblem] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const run = async (items: GivenItems, fields: Fields, page: Element) => {
    setIsBusy(true);
    setProblem(null);
    try {
      const { run_id: id } = await api.runs.createFrom(items, fields);
      onStarted();
      goTo("runs", id);
    } catch (error) {
      setProblem(withLabels(error, page));
      setIsBusy(false);
    }
  };
  return { run, problem, isBusy };
}
