import type { Session } from "../core/session.ts";
import { presentSession as presentInSessionApi } from "./sessions/present.ts";
import { presentSession as presentInMoonshot } from "./v1/present.ts";

/** A session without its messages, as those who follow it are told of it: in the dialect that it was created in. */
export function presentFollowed(session: Session, zone: string): Record<string, unknown> {
  if (session.kind === "comparison") return presentInMoonshot(session, zone, null);
  const { messages: _messages, ...followed } = presentInSessionApi(session, []);
  return followed;
}
