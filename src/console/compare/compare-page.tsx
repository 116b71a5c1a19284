/** *Compare*: one prompt, and the answers of many. Without an id it is the start of a new comparison. */
import { ComparisonView } from "./comparison-view.tsx";
import { StartPage } from "./setup/start-page.tsx";
import "./compare.css";
import "./answers/answers.css";

export const ComparePage = ({ id, part }: { id: string; part: string }) =>
  id === "" ? <StartPage /> : <ComparisonView id={id} part={part} />;
