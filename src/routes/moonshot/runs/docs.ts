/**
 * The routes of `/v1/runs` as the OpenAPI document describes them: summaries, answers, problems, examples. Bodies and
 * queries are not described here: the validators in `index.ts` document their own schemas.
 */
import * as z from "zod";
import { Success } from "../../moonshot-shared/response-schemas.ts";
import type { Operations } from "../../openapi/operations.ts";
import * as examples from "./examples.ts";
import * as schemas from "./response-schemas.ts";

const tag = "Moonshot";

const success = { status: 200, description: "Done, or nothing to do", schema: Success } as const;

export const operations: Operations = {
  "GET /": {
    id: "listRuns",
    headers: ["x-d1-bookmark"],
    tag,
    summary: "List runs, newest first",
    response: { status: 200, description: "The runs, without their results", schema: schemas.Runs },
  },
  "POST /": {
    id: "createRun",
    headers: ["idempotency-key"],
    tag,
    summary: "Put a data set to endpoints",
    description:
      "The body may have 32 MiB. As JSON it has all fields; as JSON Lines or CSV it has the items, and the query has the other fields. If anything is invalid, nothing is made, and the problems name the lines.",
    response: { status: 200, description: "The run, which has started", schema: schemas.RunResponse },
    bodyTexts: examples.bodyTexts,
    problems: [404, 409],
    example: examples.createBody,
  },
  "GET /:id": {
    id: "getRun",
    tag,
    summary: "Get a run with its progress and results",
    response: {
      status: 200,
      description: "The run",
      schema: schemas.RunResponse,
      example: examples.runResponse,
    },
    problems: [404],
  },
  "DELETE /:id": {
    id: "deleteRun",
    tag,
    summary: "Delete a run and its sessions",
    response: { status: 200, description: "The run is deleted; its sessions follow within minutes", schema: Success },
    problems: [404],
  },
  "GET /:id/events": {
    id: "followRun",
    tag,
    summary: "Follow a run by server-sent events",
    description: "The stream ends with the run, and otherwise after a minute: open it again to follow on.",
    response: { status: 200, description: "The progress, until the run ends", texts: examples.eventTexts },
    problems: [404, 429],
  },
  "POST /:id/pause": {
    id: "pauseRun",
    tag,
    summary: "Pause a run: turns that run end, and no others begin",
    response: success,
    problems: [404],
  },
  "POST /:id/resume": {
    id: "resumeRun",
    tag,
    summary: "Go on with a run that was paused or cancelled",
    response: success,
    problems: [404],
  },
  "POST /:id/cancel": {
    id: "cancelRun",
    tag,
    summary: "End a run: turns that run end, and no others begin",
    response: success,
    problems: [404],
  },
  "POST /:id/retry_errors": {
    id: "retryRunErrors",
    tag,
    summary: "Ask again for the answers that failed, and replace them",
    response: success,
    problems: [404],
  },
  "GET /:id/export": {
    id: "exportRun",
    tag,
    summary: "The answers of a run as a file",
    response: {
      status: 200,
      description: "The file. JSON Lines can be the body of a new run",
      schema: z.looseObject({}).meta({ description: "With format=promptfoo: what promptfoo imports" }),
      texts: examples.exportTexts,
    },
    problems: [404],
  },
  "GET /:id/results": {
    id: "listRunResults",
    tag,
    summary: "List the answers of a run, by item, repetition, turn and endpoint",
    response: {
      status: 200,
      description: "A page of the answers that match, and how many there are",
      schema: schemas.Results,
      example: examples.results,
    },
    problems: [404],
  },
};
