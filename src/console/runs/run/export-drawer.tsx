/** A run as a file. */
import { useState } from "preact/hooks";
import type { Run } from "../../../client/types.ts";
import { useConsole } from "../../context.ts";
import { Drawer } from "../../shared/drawer.tsx";
import { Problem } from "../../shared/problem.tsx";
import { saveFile } from "../../shared/save-file.ts";

const FORMATS = [
  {
    name: "jsonl",
    extension: "jsonl",
    title: "JSON Lines",
    purpose: "An answer on each line, with its item. It can be the file of a new run.",
  },
  { name: "csv", extension: "csv", title: "CSV", purpose: "A row for each answer. For a spreadsheet." },
  { name: "promptfoo", extension: "json", title: "promptfoo", purpose: "What promptfoo import reads." },
  { name: "junit", extension: "xml", title: "JUnit", purpose: "What build servers show as test results." },
] as const;

type Format = (typeof FORMATS)[number];

export function ExportDrawer({ run: { run_id: id }, onClose }: { run: Run; onClose: () => void }) {
  const { api } = useConsole();
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState<Format | null>(null);
  const save = async (format: Format) => {
    setBusy(format);
    setProblem(null);
    try {
      saveFile(`${id}.${format.extension}`, await (await api.runs.export(id, { format: format.name })).blob());
    } catch (error) {
      setProblem(error);
    }
    setBusy(null);
  };
  return (
    <Drawer title="Export" onClose={onClose}>
      <Problem problem={problem} />
      <ul class="formats">
        {FORMATS.map((format) => (
          <li key={format.name}>
            <div>
              <strong>{format.title}</strong>
              <p class="hint">{format.purpose}</p>
            </div>
            <button
              type="button"
              disabled={busy !== null}
              aria-label={`Save as ${format.title}`}
              onClick={() => void save(format)}
            >
              {busy === format ? "Loading …" : "Save"}
            </button>
          </li>
        ))}
      </ul>
    </Drawer>
  );
}
