/** Endpoint files that Moonshot publishes can be loaded as they are. */
import { describe, expect, it } from "vitest";
import files from "../../fixtures/moonshot/endpoint-files.json";
import { get, post } from "../../support/api.ts";

interface Form {
  form: string;
  /** Why a file cannot be loaded: a connector that Parley does not have, or a missing address. */
  refusedFor?: string;
  endpoint: Record<string, unknown> & { name: string; connector_type: string };
}

/** Every distinct set of keys and value types among the endpoint files that Moonshot publishes, and of older versions. */
const forms: Form[] = [...files.forms, ...files.earlier];

const masked = (token: unknown) => (token === "" ? "" : "********");

describe("an endpoint file of Moonshot", () => {
  it.each(forms.filter(({ refusedFor }) => refusedFor === undefined))(
    "is loaded as it is, and listed as it was given: $form",
    async ({ endpoint }) => {
      expect(await post("/v1/llm_endpoints", endpoint)).toMatchObject({ status: 200 });
      const { token, id: _, created_date: __, ...others } = endpoint;
      const listed = (await get("/v1/llm_endpoints")).body as { name: string }[];
      expect(listed.find(({ name }) => name === endpoint.name)).toMatchObject({ ...others, token: masked(token) });
    },
  );

  it.each(forms.filter(({ refusedFor }) => refusedFor !== undefined))(
    "that is incomplete is refused with the missing field: $form",
    async ({ endpoint, refusedFor }) => {
      const { status, body } = await post("/v1/llm_endpoints", endpoint);
      expect(status).toBe(422);
      expect(body.error.map(({ loc }: { loc: string[] }) => loc)).toContainEqual(["body", refusedFor]);
    },
  );
});
