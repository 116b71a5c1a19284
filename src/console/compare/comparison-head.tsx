/** The line above the answers: the name of the comparison, its settings, and what can be made of its results. */
import { useState } from "preact/hooks";
import type { Comparison as Session } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { Drawer } from "../shared/drawer.tsx";
import { PlusIcon } from "../shared/icons.tsx";
import { Problem } from "../shared/problem.tsx";
import type { SessionConnection } from "../shared/session-connection.ts";
import type { Result } from "./results/result.ts";
import { SettingsFields } from "./setup/settings-fields.tsx";
import type { Settings } from "./setup/settings-fields.tsx";

interface HeadProps {
  session: Session;
  connection: SessionConnection;
  onResult: (result: Result) => void;
}

export function ComparisonHead({ session, connection, onResult }: HeadProps) {
  const [isSetting, setIsSetting] = useState(false);
  return (
    <header class="session-head">
      <h1 title={session.name}>{session.name}</h1>
      <ConnectionState state={connection.state} />
      <div class="head-actions">
        <button type="button" class="quiet" onClick={() => setIsSetting(true)}>
          Settings
        </button>
        <button type="button" class="quiet" onClick={() => onResult({ kind: "statistics" })}>
          Statistics
        </button>
        <button type="button" class="quiet" onClick={() => onResult({ kind: "export" })}>
          Export
        </button>
        <a class="button" href="#/compare">
          <PlusIcon />
          New
        </a>
      </div>
      {isSetting && <SettingsDrawer session={session} onClose={() => setIsSetting(false)} />}
    </header>
  );
}

const CONNECTION_TEXT = { open: "live", connecting: "connecting …", closed: "closed" } as const;

const ConnectionState = ({ state }: { state: SessionConnection["state"] }) => (
  <span class={`connection connection-${state}`} role="status">
    {CONNECTION_TEXT[state]}
  </span>
);

/** Changes hold from the next prompt on. */
function SettingsDrawer({ session, onClose }: { session: Session; onClose: () => void }) {
  const { api } = useConsole();
  const before: Settings = {
    prompt_template: session.prompt_template,
    context_strategy: session.context_strategy,
    system_prompt: session.system_prompt,
  };
  const [settings, setSettings] = useState(before);
  const [problem, setProblem] = useState<unknown>(null);
  const save = async () => {
    const id = session.session_id;
    try {
      if (settings.prompt_template !== before.prompt_template)
        await api.comparisons.setTemplate(id, settings.prompt_template);
      if (settings.context_strategy !== before.context_strategy)
        await api.comparisons.setStrategy(id, settings.context_strategy);
      if (settings.system_prompt !== before.system_prompt)
        await api.comparisons.setSystemPrompt(id, settings.system_prompt);
      onClose();
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <Drawer title="Settings" onClose={onClose}>
      <p class="hint">They hold from the next prompt on.</p>
      <SettingsFields settings={settings} onChange={setSettings} />
      <Problem problem={problem} />
      <button type="button" class="primary" onClick={() => void save()}>
        Save
      </button>
    </Drawer>
  );
}
