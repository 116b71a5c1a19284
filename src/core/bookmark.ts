/** Bookmarks: copies of chat records that evaluators keep by a name. Pure. */
import type { EpochMs } from "./time.ts";

/** Where a record is. */
export interface RecordAddress {
  sessionId: string;
  chatId: string;
  /** 1, 2, 3 … within its chat. */
  chatRecordId: number;
}

/** A copy of a record. It stays when its session is deleted. */
export interface Bookmark {
  name: string;
  /** `null` for a record that a caller has written out, as Moonshot's UI does. */
  sessionId: string | null;
  chatId: string | null;
  chatRecordId: number | null;
  note: string | null;
  /** JSON text of the record, as it was shown. */
  record: string;
  createdAt: EpochMs;
}
