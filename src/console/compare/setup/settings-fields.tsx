/** How prompts are put: the system prompt, the template, and what goes along of earlier prompts. */
import type { Comparison } from "../../../client/types.ts";
import { useConsole } from "../../context.ts";
import { SelectField, TextField } from "../../shared/form/fields.tsx";
import { Problem } from "../../shared/problem.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";

/** As the fields have them: empty for none. */
export const NO_SETTINGS = { prompt_template: "", context_strategy: "", system_prompt: "" };

export type Settings = typeof NO_SETTINGS;

type SettingsInput = Pick<Comparison, keyof Settings>;

export const settingsOf = (session: SettingsInput): Settings => ({
  prompt_template: session.prompt_template ?? "",
  context_strategy: session.context_strategy ?? "",
  system_prompt: session.system_prompt ?? "",
});

/** As the API takes them. */
export const settingsInput = (settings: Settings): SettingsInput => ({
  prompt_template: settings.prompt_template || null,
  context_strategy: settings.context_strategy || null,
  system_prompt: settings.system_prompt || null,
});

/** What strategies do, in words. Others show their name. */
const STRATEGIES: Record<string, string> = {
  add_previous_prompt: "The last prompts, as text",
  chat_history: "The whole conversation",
};

interface FieldsProps {
  settings: Settings;
  set: (name: keyof Settings) => (value: string) => void;
}

export function SettingsFields({ settings, set }: FieldsProps) {
  const { api } = useConsole();
  const { value, problem } = useLoaded(
    async () => ({ templates: await api.templates.list(), strategies: await api.templates.strategies() }),
    [api],
  );
  return (
    <div class="fields">
      <Problem problem={problem} />
      <TextField
        name="system_prompt"
        label="System prompt"
        rows={2}
        placeholder="None"
        value={settings.system_prompt}
        onInput={set("system_prompt")}
      />
      <div class="fields-row">
        <SelectField
          name="context_strategy"
          label="Goes along with each prompt"
          none="Nothing"
          value={settings.context_strategy}
          options={(value?.strategies ?? []).map((name) => ({ value: name, title: STRATEGIES[name] ?? name }))}
          onInput={set("context_strategy")}
        />
        <SelectField
          name="prompt_template"
          label="Prompt template"
          none="None"
          value={settings.prompt_template}
          options={(value?.templates ?? []).map(({ name }) => ({ value: name, title: name }))}
          onInput={set("prompt_template")}
        />
      </div>
    </div>
  );
}
