/**
 * What someone has written and not saved or sent yet: it is still there when the drawer was closed, or the page loaded again. All
 * forms keep it here. It is kept in the tab only, as it may name people; a secret is not kept at all.
 */
import { useState } from "preact/hooks";
import type { Me } from "../../../client/types.ts";

const PREFIX = "parley.draft.";

/** Drafts, and prompts that did not reach the server yet. */
const NAME_OF_TEXT = /^parley\.(?:draft|unsent)\./;

/** Whose texts the tab has. */
const WRITER = "parley.writer";

export interface Draft<Fields> {
  fields: Fields;
  set: (name: keyof Fields) => (value: string) => void;
  /** Whether it differs from what is saved. */
  isChanged: boolean;
  /** Fields that were written before and not kept, and are not written again yet. */
  lost: string[];
  /** Forgets what was written. */
  discard: () => void;
}

/** As it is kept. */
interface Kept<Fields> {
  /** The fields that differ from what is saved. */
  changes: Partial<Fields>;
  lost: string[];
}

interface Written<Fields> extends Kept<Fields> {
  key: string;
}

/**
 * @param name of the form, and of what it changes
 * @param saved what it holds when nothing was written
 * @param isSecret whether a value stays in the form, and is gone with it
 */
export function useDraft<Fields extends Record<string, string>>(
  name: string,
  saved: Fields,
  isSecret: (field: string, value: string) => boolean = () => false,
): Draft<Fields> {
  const key = PREFIX + name;
  const [written, setWritten] = useState<Written<Fields>>(() => ({ key, ...read<Fields>(key) }));
  const { changes, lost } = written.key === key ? written : read<Fields>(key);
  const write = (changed: Partial<Fields>, stillLost: string[]) => {
    setWritten({ key, changes: changed, lost: stillLost });
    const entries = Object.entries(changed as Record<string, string>);
    const secrets = entries.filter(([field, value]) => isSecret(field, value)).map(([field]) => field);
    const kept = entries.filter(([field]) => !secrets.includes(field));
    keep(key, { changes: Object.fromEntries(kept), lost: [...stillLost, ...secrets] });
  };
  return {
    fields: { ...saved, ...changes },
    set: (field) => (value) => {
      const { [field]: _, ...others } = changes;
      const changed = saved[field] === value ? others : { ...changes, [field]: value };
      write(
        changed as Partial<Fields>,
        lost.filter((one) => one !== field),
      );
    },
    isChanged: Object.keys(changes).length > 0,
    lost,
    discard: () => write({}, []),
  };
}

function keep(key: string, kept: Kept<Record<string, string>>): void {
  try {
    if (Object.keys(kept.changes).length + kept.lost.length === 0) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(kept));
  } catch {
    // Full, or not allowed: the form works without.
  }
}

function read<Fields>(key: string): Kept<Fields> {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? "{}") as Partial<Kept<Fields>>;
    return { changes: kept.changes ?? {}, lost: kept.lost ?? [] };
  } catch {
    return { changes: {}, lost: [] };
  }
}

/**
 * Forgets what somebody else wrote in this tab. Who has a new token in the place of an old one is the same.
 *
 * @param caller who is signed in now
 */
export function forgetTextsOfOthers({ role, clientId = "" }: Pick<Me, "role" | "clientId">): void {
  try {
    const writer = `${role} ${clientId}`;
    if (sessionStorage.getItem(WRITER) === writer) return;
    for (const key of Object.keys(sessionStorage)) if (NAME_OF_TEXT.test(key)) sessionStorage.removeItem(key);
    sessionStorage.setItem(WRITER, writer);
  } catch {
    // Not allowed: nothing is kept.
  }
}
