/** Examples of `/v1/runs` in the OpenAPI document. */
const RUN_ID = "capitals_20260301-093000";

export const createBody = {
  name: "Capitals",
  endpoints: ["echo", "eliza"],
  repeat: 3,
  items: [
    { prompt: "The capital of France?", expect: { contains: "Paris" }, tags: ["europe"] },
    { id: "japan", turns: ["Think of Japan.", "Which is its capital?"], expect: { regex: "(?i)tokyo" } },
  ],
};

export const bodyTexts = {
  "application/jsonl": `{"prompt":"The capital of France?","expect":{"contains":"Paris"}}
{"input":"The capital of Japan?","target":"Tokyo"}
`,
  "text/csv": `id,prompt,expect_contains,tags\r
france,The capital of France?,Paris,europe|easy\r
`,
};

export const runResponse = {
  run: {
    run_id: RUN_ID,
    name: "Capitals",
    status: "running",
    created_epoch: 1772357400.123,
    endpoints: ["echo"],
    repeat: 3,
    progress: { done: 6, of: 9, errors: 0 },
    concurrency: 8,
    prompt_template: null,
    context_strategy: null,
    system_prompt: null,
    order_seed: null,
    eta_seconds: 2,
    results: {
      echo: {
        ok: 6,
        cancelled: 0,
        errors: {},
        passed: 3,
        judged: 4,
        mean: 0.75,
        interval: [0.3006, 0.9544],
        pass_at_k: { "1": 1, "3": 1 },
        pass_hat_k: { "1": 1, "3": 1 },
        duration_ms: { min: 2, p50: 3, p90: 4, p95: 4, p99: 4, max: 4 },
        ttft_ms: { min: 2, p50: 3, p90: 4, p95: 4, p99: 4, max: 4 },
        usage: { input_tokens: 48, output_tokens: 48 },
        cost: null,
      },
    },
  },
};

export const results = {
  results: [
    {
      item_id: "1",
      repetition: 1,
      turn: 1,
      endpoint: "echo",
      session_id: "capitals-1_20260301-093000",
      chat_id: "echo_20260301_093000",
      chat_record_id: 1,
      status: "ok",
      error_code: null,
      pass: true,
      duration_ms: 3,
      cost: null,
    },
  ],
  total: 1,
};

export const eventTexts = {
  "text/event-stream": `event: run-progress
data: {"type":"run-progress","progress":{"done":9,"of":9,"errors":0},"eta_seconds":0}

event: run-ended
data: {"type":"run-ended","status":"completed"}

`,
};

export const exportTexts = {
  "application/jsonl": `{"run_id":"capitals_20260301-093000","id":"1","turns":["The capital of France?"],"expect":{"contains":"Paris"},"tags":[],"repetition":1,"turn":1,"endpoint":"echo","session_id":"capitals-1_20260301-093000","chat_id":"echo_20260301_093000","chat_record_id":1,"prompt":"The capital of France?","response":"The capital of France?","status":"ok","error_code":null,"pass":false,"duration_ms":3,"ttft_ms":3,"input_tokens":null,"output_tokens":null,"cost":null}
`,
  "text/csv": `\uFEFFrun_id,item_id,repetition,turn,endpoint,session_id,chat_id,chat_record_id,prompt,response,status,error_code,pass,duration_ms,ttft_ms,input_tokens,output_tokens,cost,tags\r
`,
  "application/xml": `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="Capitals"></testsuites>
`,
};
