/** A call of an operation in the shell, in TypeScript and in Python, with the example of its body. No effects. */

export interface SampleInput {
  method: string;
  /** As in the OpenAPI document, with `{names}`. */
  path: string;
  /** Query parameters that it needs, by name. */
  query: readonly string[];
  body: unknown;
  /** Whether it answers server-sent events only. */
  streams: boolean;
}

export interface Sample {
  title: string;
  language: string;
  code: string;
}

/** `$PARLEY` is the address of the server, `$KEY` the token. */
export const samplesOf = (input: SampleInput): Sample[] => [
  { title: "curl", language: "sh", code: curl(input) },
  { title: "TypeScript", language: "ts", code: typescript(input) },
  { title: "Python", language: "python", code: python(input) },
];

/** The path with `<name>` for what has to be filled in. */
function addressOf({ path, query }: SampleInput): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, "<$1>");
  return query.length > 0 ? `${filled}?${query.map((name) => `${name}=<${name}>`).join("&")}` : filled;
}

function curl(input: SampleInput): string {
  const { method, body, streams } = input;
  const post = method === "GET" || (method === "POST" && body !== undefined) ? "" : ` -X ${method}`;
  const lines = [`curl${streams ? " -N" : ""}${post} "$PARLEY${addressOf(input)}"`, `-H "authorization: Bearer $KEY"`];
  if (streams) lines.push("-H 'accept: text/event-stream'");
  if (body !== undefined) {
    lines.push("-H 'content-type: application/json'");
    lines.push(`-d '${JSON.stringify(body).replaceAll("'", String.raw`'\''`)}'`);
  }
  return lines.join(" \\\n  ");
}

function typescript(input: SampleInput): string {
  const { method, body, streams } = input;
  const headers = ["authorization: `Bearer ${KEY}`"];
  if (body !== undefined) headers.push('"content-type": "application/json"');
  if (streams) headers.push('accept: "text/event-stream"');
  const options = [
    ...(method === "GET" ? [] : [`  method: "${method}",`]),
    `  headers: { ${headers.join(", ")} },`,
    ...(body === undefined ? [] : [`  body: JSON.stringify(${indented(JSON.stringify(body, null, 2))}),`]),
  ];
  const read = streams
    ? "for await (const text of answer.body.pipeThrough(new TextDecoderStream())) console.log(text);"
    : "console.log(answer.status, await answer.text());";
  return [`const answer = await fetch(\`\${PARLEY}${addressOf(input)}\`, {`, ...options, "});", read].join("\n");
}

function python(input: SampleInput): string {
  const { method, body, streams } = input;
  const accept = streams ? ', "Accept": "text/event-stream"' : "";
  const lines = [
    "import httpx",
    "",
    ...(streams ? [`with httpx.stream(`] : [`answer = httpx.request(`]),
    `    "${method}", f"{PARLEY}${addressOf(input)}",`,
    `    headers={"Authorization": f"Bearer {KEY}"${accept}},`,
    ...(body === undefined ? [] : [`    json=${indented(pythonOf(body), 4)},`]),
    ...(streams ? [") as answer:", "    for line in answer.iter_lines():", "        print(line)"] : [")"]),
    ...(streams ? [] : ["print(answer.status_code, answer.text)"]),
  ];
  return lines.join("\n");
}

const indented = (text: string, by = 2): string => text.replaceAll("\n", `\n${" ".repeat(by)}`);

/** A JSON value as Python writes it. */
function pythonOf(value: unknown, depth = 1): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const pad = "    ".repeat(depth);
  const entries = Array.isArray(value)
    ? value.map((entry) => pythonOf(entry, depth + 1))
    : Object.entries(value).map(([name, entry]) => `${JSON.stringify(name)}: ${pythonOf(entry, depth + 1)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  if (entries.length === 0) return `${open}${close}`;
  return `${open}\n${entries.map((entry) => `${pad}${entry},\n`).join("")}${"    ".repeat(depth - 1)}${close}`;
}
