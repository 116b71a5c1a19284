/** Schemas of the lists of `/api/v1`. */
import * as z from "zod";
import { CONNECTOR_TYPES } from "../../../core/endpoint.ts";
import { CONTEXT_STRATEGIES } from "../../../core/prompt-template.ts";
import { ATTACK_MODULES } from "../attack-modules/modules.ts";

export const PromptTemplates = z.array(z.object({ name: z.string(), description: z.string(), template: z.string() }));

export const Names = z.array(z.string());

export const ContextStrategies = z.array(
  z.object({ id: z.enum(CONTEXT_STRATEGIES), name: z.string(), description: z.string() }),
);

export const AttackModules = z.array(
  z.object({
    id: z.enum(ATTACK_MODULES),
    name: z.string(),
    description: z.string(),
    endpoints: z.array(z.string()),
    configurations: z.record(z.string(), z.number()),
  }),
);

export const Connectors = z.array(z.enum(CONNECTOR_TYPES));

export const Nothing = z.array(z.object({})).meta({ description: "Always empty" });

export const NoStatus = z.object({}).meta({ description: "Always empty" });
