/** The line above the answers: the name of the comparison, its settings, and what can be made of its results. */
import { useState } from "preact/hooks";
import type { Comparison as Session } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { Drawer } from "../shared/drawer.tsx";
import { SaveForm } from "../shared/form/save-form.tsx";
import { UnsavedNote } from "../shared/form/unsaved-note.tsx";
import { useDraft } from "../shared/form/use-draft.ts";
import { PlusIcon } from "../shared/icons.tsx";
import type { SessionConnection } from "../shared/session-connection.ts";
import type { Result } from "./results/result.ts";
import { SettingsFields, settingsInput, settingsOf } from "./setup/settings-fields.tsx";

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
  const { session_id: id } = session;
  const before = settingsOf(session);
  const draft = useDraft(`settings.${id}`, before);
  const save = async () => {
    const changed = settingsInput(draft.fields);
    if (draft.fields.prompt_template !== before.prompt_template)
      await api.comparisons.setTemplate(id, changed.prompt_template);
    if (draft.fields.context_strategy !== before.context_strategy)
      await api.comparisons.setStrategy(id, changed.context_strategy);
    if (draft.fields.system_prompt !== before.system_prompt)
      await api.comparisons.setSystemPrompt(id, changed.system_prompt);
    draft.discard();
    onClose();
  };
  return (
    <Drawer title="Settings" onClose={onClose}>
      <p class="hint">They hold from the next prompt on.</p>
      <SaveForm onSave={save}>
        <UnsavedNote draft={draft} />
        <SettingsFields settings={draft.fields} set={draft.set} />
      </SaveForm>
    </Drawer>
  );
}
