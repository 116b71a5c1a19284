/** Reads a file line by line. */
import { createReadStream } from "node:fs";

/** The whole lines of a file, without their ends. What follows the last line break is left out. */
export async function* lines(file: string): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of createReadStream(file, { encoding: "utf8" }) as AsyncIterable<string>) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
