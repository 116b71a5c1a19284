/**
 * Part `sustained-streams`: many chats that stream at the same time, a delta every 20 ms. Whether every frame arrives, and how evenly:
 * a slow server gathers deltas, so that the gaps between frames grow.
 */
import { request } from "node:http";
import { atMost } from "./comparison.ts";
import { MESSAGE_TEXT, chatPath, createEndpoint, createSessionMaker, parleyClient, parleyHeaders } from "./parley.ts";
import type { Finding } from "./report.ts";
import { inMs, printTable } from "./report.ts";
import type { Servers } from "./servers.ts";
import { quantile } from "./statistics.ts";
import { DELTAS_OF_SLOW_MODEL, SLOW_DELTA_MS, slowReply } from "./upstream.ts";
import type { Server } from "./wrangler.ts";

/** Of the first number the gaps have a target: with more, the bare Worker gathers too. */
const STREAMS = [50, 200, 500];

export async function sustainedStreams({ parley, bare, upstream }: Servers): Promise<Finding[]> {
  const toParley = parleyClient(parley.origin, Math.max(...STREAMS));
  const endpoint = await createEndpoint(toParley, "sustained", upstream.slowUri);
  const createSession = await createSessionMaker(toParley, endpoint);
  const rows: string[][] = [];
  const gaps: number[] = [];
  for (const count of STREAMS) {
    const sessions = await Promise.all(Array.from({ length: count }, createSession));
    const ofBare = await measure(count, bare, (nth) => openBare(bare, `${count}-${nth}`, upstream.slowUri));
    const ofParley = await measure(count, parley, (nth) => openParley(parley, sessions[nth] ?? ""));
    rows.push([`${count}`, "bare Worker", ...ofBare.cells], [`${count}`, "Parley", ...ofParley.cells]);
    gaps.push(ofParley.gapMs / ofBare.gapMs);
  }
  toParley.close();
  printTable(`Streams at once, each of ${DELTAS_OF_SLOW_MODEL} deltas, one every ${SLOW_DELTA_MS} ms`, [
    ["streams", "", "whole", "gap p50 ms", "gap p99 ms", "CPU ms a stream", "MB more, at the peak"],
    ...rows,
  ]);
  return [atMost(`gap between frames, ${STREAMS[0]} streams`, gaps[0] ?? NaN, 1.25)];
}

interface Stream {
  text: string;
  /** When each part of the body arrived. */
  arrivals: number[];
}

/** @returns the cells of the table, and the gap between frames at p50 */
async function measure(
  count: number,
  server: Server,
  open: (nth: number) => Promise<Stream>,
): Promise<{ cells: string[]; gapMs: number }> {
  const memory = () => server.residentMb().reduce((sum, mb) => sum + mb, 0);
  const [cpuBefore, memoryBefore] = [server.cpuMs(), memory()];
  let peak = memoryBefore;
  const sampling = setInterval(() => (peak = Math.max(peak, memory())), 200);
  const streams = await Promise.all(Array.from({ length: count }, (_, nth) => open(nth)));
  clearInterval(sampling);
  const gaps = streams.flatMap(({ arrivals }) => arrivals.slice(1).map((at, nth) => at - (arrivals[nth] ?? at)));
  const whole = streams.filter(({ text }) => textOf(text) === slowReply).length;
  const gapMs = quantile(gaps, 0.5);
  const cells = [
    `${whole} of ${count}`,
    inMs(gapMs),
    inMs(quantile(gaps, 0.99)),
    inMs((server.cpuMs() - cpuBefore) / count),
    (peak - memoryBefore).toFixed(0),
  ];
  return { cells, gapMs };
}

/** The reply in the deltas of a stream, of OpenAI's chunks or of Parley's events. */
const textOf = (stream: string): string =>
  [...stream.matchAll(/^data: (\{.*"(?:content|reply-delta)".*)$/gm)]
    .map(([, json = "{}"]) => JSON.parse(json) as { text?: string; choices?: { delta: { content?: string } }[] })
    .map(({ text, choices }) => text ?? choices?.[0]?.delta.content ?? "")
    .join("");

const openBare = (server: Server, conversation: string, upstream: string): Promise<Stream> =>
  openStream(`${server.origin}/stream?conversation=${conversation}`, {}, { content: MESSAGE_TEXT, upstream });

const openParley = (server: Server, session: string): Promise<Stream> =>
  openStream(
    server.origin + chatPath(session),
    { ...parleyHeaders, accept: "text/event-stream" },
    { content: MESSAGE_TEXT },
  );

function openStream(url: string, headers: Record<string, string>, body: object): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const stream: Stream = { text: "", arrivals: [] };
    const call = request(
      url,
      { method: "POST", headers: { "content-type": "application/json", ...headers } },
      (answer) => {
        answer.setEncoding("utf8");
        answer.on("data", (part: string) => {
          stream.text += part;
          stream.arrivals.push(performance.now());
        });
        answer.on("error", reject);
        answer.on("end", () => resolve(stream));
      },
    );
    call.on("error", reject);
    call.end(JSON.stringify(body));
  });
}
