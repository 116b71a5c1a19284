/** How prompts are put: the system prompt, the template, and what goes along of earlier prompts. */
import { useConsole } from "../../context.ts";
import { Problem } from "../../shared/problem.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";

export interface Settings {
  prompt_template: string | null;
  context_strategy: string | null;
  system_prompt: string | null;
}

export const NO_SETTINGS: Settings = { prompt_template: null, context_strategy: null, system_prompt: null };

/** What strategies do, in words. Others show their name. */
const STRATEGIES: Record<string, string> = {
  add_previous_prompt: "The last prompts, as text",
  chat_history: "The whole conversation",
};

interface FieldsProps {
  settings: Settings;
  onChange: (settings: Settings) => void;
}

export function SettingsFields({ settings, onChange }: FieldsProps) {
  const { api } = useConsole();
  const { value, problem } = useLoaded(
    async () => ({ templates: await api.templates.list(), strategies: await api.templates.strategies() }),
    [api],
  );
  return (
    <div class="fields">
      <Problem problem={problem} />
      <label class="field">
        <span>System prompt</span>
        <textarea
          rows={2}
          value={settings.system_prompt ?? ""}
          placeholder="None"
          onInput={({ currentTarget }) => onChange({ ...settings, system_prompt: currentTarget.value || null })}
        />
      </label>
      <div class="fields-row">
        <NameSelect
          label="Goes along with each prompt"
          none="Nothing"
          value={settings.context_strategy}
          options={(value?.strategies ?? []).map((name) => ({ name, title: STRATEGIES[name] ?? name }))}
          onChange={(context_strategy) => onChange({ ...settings, context_strategy })}
        />
        <NameSelect
          label="Prompt template"
          none="None"
          value={settings.prompt_template}
          options={(value?.templates ?? []).map(({ name }) => ({ name, title: name }))}
          onChange={(prompt_template) => onChange({ ...settings, prompt_template })}
        />
      </div>
    </div>
  );
}

interface SelectProps {
  label: string;
  /** What it is called to choose none. */
  none: string;
  value: string | null;
  options: { name: string; title: string }[];
  onChange: (name: string | null) => void;
}

function NameSelect({ label, none, value, options, onChange }: SelectProps) {
  // The list may not be there yet, or no longer have it.
  const shown =
    value === null || options.some(({ name }) => name === value)
      ? options
      : [...options, { name: value, title: value }];
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value ?? ""} onChange={({ currentTarget }) => onChange(currentTarget.value || null)}>
        <option value="">{none}</option>
        {shown.map(({ name, title }) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}
