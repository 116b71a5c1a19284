/** The params of an endpoint or a chatbot, as text in a form. */
import { TextField } from "./fields.tsx";
import { readJsonObject } from "./json-object.ts";

const EXAMPLE = '{"temperature": 0}';

interface FieldProps {
  hint: string;
  value: string;
  onInput: (value: string) => void;
}

export const ParamsField = (props: FieldProps) => (
  <TextField name="params" label="Params, as JSON" rows={3} placeholder={EXAMPLE} {...props} />
);

/** @returns `null` if the text is empty @throws if it is no JSON object, in words for who wrote it */
export const readParams = (text: string): Record<string, unknown> | null => readJsonObject("Params", text, EXAMPLE);
