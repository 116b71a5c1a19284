/** The whole comparison as a file. */
import { useState } from "preact/hooks";
import { useConsole } from "../../context.ts";
import { Problem } from "../../shared/problem.tsx";
import { saveFile } from "../../shared/save-file.ts";
import type { ResultProps } from "./result.ts";

const FORMATS = [
  { name: "jsonl", title: "JSON Lines", purpose: "One record on each line, with its receipt. For programs." },
  { name: "csv", title: "CSV", purpose: "One row for each record. For a spreadsheet." },
] as const;

type Format = (typeof FORMATS)[number]["name"];

export function ExportView({ id }: ResultProps) {
  const { api } = useConsole();
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState<Format | null>(null);
  const save = async (format: Format) => {
    setBusy(format);
    setProblem(null);
    try {
      saveFile(`${id}.${format}`, await (await api.comparisons.export(id, { format })).blob());
    } catch (error) {
      setProblem(error);
    }
    setBusy(null);
  };
  return (
    <>
      <Problem problem={problem} />
      <ul class="formats">
        {FORMATS.map(({ name, title, purpose }) => (
          <li key={name}>
            <div>
              <strong>{title}</strong>
              <p class="hint">{purpose}</p>
            </div>
            <button type="button" disabled={busy !== null} onClick={() => void save(name)}>
              {busy === name ? "Loading …" : "Save"}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
