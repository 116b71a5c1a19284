/** Makes an animated SVG of what a program printed: it appears as it was printed, and scrolls. No effects. */

/** A part of the output, and when it came. */
export interface Printed {
  atMs: number;
  text: string;
}

export interface Recording {
  title: string;
  /** The line that started the program. */
  command: string;
  output: readonly Printed[];
}

interface Piece {
  row: number;
  column: number;
  style: string;
  text: string;
  step: number;
}

const COLUMNS = 104;
const ROWS = 25;
const CHARACTER_WIDTH = 8.4;
const LINE_HEIGHT = 19;
const MARGIN = 20;

/** Parts that came within this time appear together: each step of the animation takes bytes. */
const STEP_MS = 70;

/** A longer pause, such as for the start of a server, is shown shorter. */
const LONGEST_PAUSE_MS = 900;

/** How long the end is shown before the animation begins again. */
const END_MS = 6000;

/** What `styleText` of Node writes, and the class that shows it. */
const STYLES: Readonly<Record<string, string>> = { 1: "bold", 2: "dim", 31: "red", 36: "cyan" };

export function terminalSvg({ title, command, output }: Recording): string {
  const { pieces, times } = layOut([{ atMs: 0, text: `\u001B[1m$ ${command}\u001B[22m\n` }, ...output]);
  const total = (times.at(-1) ?? 0) + END_MS;
  const width = Math.round(COLUMNS * CHARACTER_WIDTH + 2 * MARGIN);
  const height = ROWS * LINE_HEIGHT + 2 * MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">${escaped(title)}</title>
<style>
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }
.fg { fill: #e6edf3 } .dim { fill: #9aa4b2 } .cyan { fill: #6cc7d9 } .red { fill: #ff9a8d } .bold { fill: #ffffff; font-weight: bold }
@media (prefers-reduced-motion: no-preference) {
#rows, #rows g { animation: ${total}ms step-end infinite }
#rows { animation-name: scroll }
@keyframes scroll { ${scrolling(pieces, times, total)} }
${times.map((at, step) => `#s${step} { animation-name: s${step} } @keyframes s${step} { 0% { opacity: 0 } ${percent(at, total)} { opacity: 1 } }`).join("\n")}
}
</style>
<rect width="${width}" height="${height}" rx="8" fill="#161b22"/>
<svg y="${MARGIN}" width="${width}" height="${ROWS * LINE_HEIGHT}"><g id="rows">
${times
  .map(
    (_, step) =>
      `<g id="s${step}">${pieces
        .filter((piece) => piece.step === step)
        .map(textElement)
        .join("")}</g>`,
  )
  .join("\n")}
</g></svg>
</svg>
`;
}

/** Gives each piece its place and its step. */
function layOut(output: readonly Printed[]): { pieces: Piece[]; times: number[] } {
  const pieces: Piece[] = [];
  const times: number[] = [];
  const place = { row: 0, column: 0, style: "fg" };
  let [before, now] = [0, 0];
  for (const { atMs, text } of output) {
    now += Math.min(atMs - before, LONGEST_PAUSE_MS);
    before = atMs;
    if (times.length === 0 || now - (times.at(-1) ?? 0) >= STEP_MS) times.push(Math.round(now));
    pieces.push(...piecesOf(text, place).map((piece) => ({ ...piece, step: times.length - 1 })));
  }
  return { pieces, times };
}

/** Moves the place on as a terminal does. */
function piecesOf(text: string, place: { row: number; column: number; style: string }): Omit<Piece, "step">[] {
  const pieces: Omit<Piece, "step">[] = [];
  for (const { style, plain } of styledParts(text)) {
    if (style !== null) place.style = style;
    for (const [nth, line] of plain.split("\n").entries()) {
      if (nth > 0) Object.assign(place, { row: place.row + 1, column: 0 });
      if (line.trim() !== "") pieces.push({ ...place, text: line });
      place.column += line.length;
    }
  }
  return pieces;
}

/** Each part begins with the code of its style, but the first, which goes on in the one before it. */
function styledParts(text: string): { style: string | null; plain: string }[] {
  const [first = "", ...others] = text.split("\u001B[");
  const parts = others.map((part) => {
    const [, code = "", plain = part] = /^(\d+)m(.*)$/s.exec(part) ?? [];
    return { style: STYLES[code] ?? "fg", plain };
  });
  return [{ style: null, plain: first }, ...parts];
}

/** The row at the bottom is always in sight. */
function scrolling(pieces: readonly Piece[], times: readonly number[], total: number): string {
  const rows = times.map((_, step) => Math.max(...pieces.filter((piece) => piece.step <= step).map(({ row }) => row)));
  const hidden = rows.map((row) => Math.max(0, row + 1 - ROWS));
  const frames = hidden.flatMap((lines, step) =>
    step > 0 && lines === hidden[step - 1]
      ? []
      : [`${percent(times[step] ?? 0, total)} { transform: translateY(${-lines * LINE_HEIGHT}px) }`],
  );
  return frames.join(" ");
}

const percent = (at: number, total: number): string => `${((100 * at) / total).toFixed(2)}%`;

function textElement({ row, column, style, text }: Piece): string {
  const trimmed = text.trimStart();
  const x = MARGIN + (column + text.length - trimmed.length) * CHARACTER_WIDTH;
  const shown = trimmed.trimEnd();
  const length = (shown.length * CHARACTER_WIDTH).toFixed(1);
  return `<text x="${x.toFixed(1)}" y="${row * LINE_HEIGHT + 14}" textLength="${length}" class="${style}">${escaped(shown)}</text>`;
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
