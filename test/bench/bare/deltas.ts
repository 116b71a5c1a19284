/** Reads the texts of a streamed chat completion as they arrive. */
interface Chunk {
  choices: { delta: { content?: string } }[];
}

export async function* readDeltas(answer: Response): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of answer.body ?? []) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("data: {")) continue;
      const text = (JSON.parse(line.slice("data: ".length)) as Chunk).choices[0]?.delta.content;
      if (text) yield text;
    }
  }
}
