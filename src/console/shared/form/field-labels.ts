/**
 * What the server says of the fields of a form, with the labels that the form shows in place of the API's names. The labels are
 * those of the controls on the page, which have the API's names too. Reads the page.
 */
import { ParleyError } from "../../../client/errors.ts";

/** The label of each field, by its name. */
type Labels = ReadonlyMap<string, string>;

/** @param form what the fields are in @returns the problem, in the words of the form if it is an answer of the server */
export function withLabels(problem: unknown, form: Element): unknown {
  if (!(problem instanceof ParleyError)) return problem;
  const labels = labelsIn(form);
  const details = problem.details.map((detail) => ({
    ...detail,
    path: labelOf(detail.path, labels),
    message: replaceNames(detail.message, labels),
  }));
  const isOfFields = problem.code === "invalid_input" && details.length > 0;
  const message = isOfFields
    ? details.map(({ path, message: text }) => (path === "" ? text : `${path}: ${text}`)).join("; ")
    : replaceNames(problem.message, labels);
  const { status, code, lastSeq, requestId, retryAfterSeconds } = problem;
  return new ParleyError(message, { status, code, details, lastSeq, requestId, retryAfterSeconds }, problem);
}

/** A path such as `params.temperature` is in the field `params`: then the rest of the path stands behind the label. */
function labelOf(path: string, labels: Labels): string {
  const steps = path.split(".");
  for (let length = steps.length; length > 0; length--) {
    const label = labels.get(steps.slice(0, length).join("."));
    if (label !== undefined) return [label, ...steps.slice(length)].join(", ");
  }
  return path;
}

/** Names that are no words: `endpointId`, `max_concurrency`, `uri`. */
const IS_NO_WORD = /[_A-Z]|^uri$/;

function replaceNames(text: string, labels: Labels): string {
  return text.replace(/\b\w+\b/g, (word) => (IS_NO_WORD.test(word) ? (labels.get(word) ?? word) : word));
}

function labelsIn(form: Element): Labels {
  // What is chosen among radio buttons is the field of their fieldset.
  const controls = [...form.querySelectorAll<HTMLElement>("[name]:not([type=radio])")];
  return new Map(controls.map((control) => [control.getAttribute("name") ?? "", labelTextOf(control)]));
}

/** A label may have its control within. */
function labelTextOf(control: HTMLElement): string {
  const label = "labels" in control ? (control as HTMLInputElement).labels?.[0] : control.querySelector("legend");
  return (label?.querySelector("span") ?? label)?.textContent ?? "";
}
