/** The start of a comparison: which endpoints, with which settings, and the first prompt. */
import { useState } from "preact/hooks";
import { useConsole } from "../../context.ts";
import { addressOf, goTo } from "../../router.ts";
import { plural } from "../../shared/format.ts";
import { Problem } from "../../shared/problem.tsx";
import { useKept } from "../../shared/storage.ts";
import { useLoaded } from "../../shared/use-loaded.ts";
import { leavePrompt } from "../../shared/session-connection.ts";
import { PromptForm } from "../../shared/prompt-form.tsx";
import { listChoices } from "./choices.ts";
import { EndpointPicker } from "./endpoint-picker.tsx";
import { RecentComparisons } from "./recent-comparisons.tsx";
import { NO_SETTINGS, SettingsFields, settingsInput } from "./settings-fields.tsx";
import type { Settings } from "./settings-fields.tsx";

/** As many as the API takes, the same one asked twice counted twice. */
const MAX_CHATS = 64;
const NAME_LENGTH = 60;
const MAX_REPEATS = 8;

export function StartPage() {
  const { api } = useConsole();
  const { value: choices, problem, reload } = useLoaded(() => listChoices(api), [api]);
  const [kept, setChosen] = useKept<string[]>("endpoints", []);
  const [settings, setSettings] = useKept<Settings>("settings", NO_SETTINGS);
  const [repeats, setRepeats] = useKept("repeats", 1);
  const start = useStart(settings);
  // What was chosen last may have been deleted.
  const chosen = kept.filter((id) => choices?.some((choice) => choice.id === id));
  const chats = chosen.length * repeats;
  const refusal = refusalOf(chosen.length, chats);
  return (
    <section class="page start">
      <div class="page-head">
        <h1>Compare models</h1>
        <a class="button quiet" href={addressOf("bookmarks")}>
          Bookmarks
        </a>
      </div>
      <p class="lead">One prompt to several endpoints at once. Their answers stream side by side.</p>
      <Problem problem={problem} onRetry={reload} />
      <div class="start-grid">
        <div class="start-main">
          <EndpointPicker choices={choices} chosen={chosen} onChange={setChosen} />
          <MoreSettings settings={settings} onChange={setSettings} repeats={repeats} onRepeats={setRepeats} />
          <PromptForm
            draftName="new"
            label="First prompt"
            hint={refusal ?? `${plural(chats, "answer")} for each prompt`}
            isReady={refusal === null}
            onSend={(text) => start.run(repeated(chosen, repeats), text)}
          />
          <Problem problem={start.problem} />
        </div>
        <RecentComparisons />
      </div>
    </section>
  );
}

/** Each one next to its repetitions. */
const repeated = (ids: string[], repeats: number): string[] => ids.flatMap((id) => Array<string>(repeats).fill(id));

interface MoreProps {
  settings: Settings;
  onChange: (settings: Settings) => void;
  repeats: number;
  onRepeats: (repeats: number) => void;
}

const MoreSettings = ({ settings, onChange, repeats, onRepeats }: MoreProps) => (
  <details class="more">
    <summary>Settings</summary>
    <SettingsFields settings={settings} set={(name) => (value) => onChange({ ...settings, [name]: value })} />
    <label class="field field-short">
      <span>Ask each endpoint</span>
      <select value={repeats} onChange={({ currentTarget }) => onRepeats(Number(currentTarget.value))}>
        {Array.from({ length: MAX_REPEATS }, (_, index) => (
          <option key={index} value={index + 1}>
            {index === 0 ? "once" : `${index + 1} times`}
          </option>
        ))}
      </select>
    </label>
  </details>
);

function refusalOf(chosen: number, chats: number): string | null {
  if (chosen === 0) return "Choose at least one endpoint";
  return chats > MAX_CHATS ? `At most ${MAX_CHATS} answers at once` : null;
}

/** Creates the session, and leads to it: its connection sends the prompt. */
function useStart(settings: Settings) {
  const { api } = useConsole();
  const [problem, setProblem] = useState<unknown>(null);
  const run = async (endpoints: string[], prompt: string): Promise<boolean> => {
    try {
      const fields = { name: nameOf(prompt), endpoints, ...settingsInput(settings) };
      const { session_id: id } = await api.comparisons.create(fields);
      leavePrompt(id, prompt);
      goTo("compare", id);
      return true;
    } catch (error) {
      setProblem(error);
      return false;
    }
  };
  return { run, problem };
}

/** The beginning of the prompt, on one line. */
function nameOf(prompt: string): string {
  const line = prompt.trim().replace(/\s+/g, " ");
  return line.length <= NAME_LENGTH
    ? line
    : `${line
        .slice(0, NAME_LENGTH - 2)
        .toWellFormed()
        .trimEnd()} …`;
}
