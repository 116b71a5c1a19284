/** Leads through a long list, page by page. */
import { integer } from "./format.ts";

interface PagesProps {
  /** How many there are on a page. */
  size: number;
  total: number;
  skip: number;
  onSkip: (skip: number) => void;
}

export const ListPages = ({ size, total, skip, onSkip }: PagesProps) =>
  total <= size && skip === 0 ? null : (
    <nav class="pages" aria-label="Pages of the list">
      <button type="button" disabled={skip === 0} onClick={() => onSkip(Math.max(0, skip - size))}>
        Newer
      </button>
      <span class="hint">
        {integer(Math.min(total, skip + 1))} to {integer(Math.min(total, skip + size))} of {integer(total)}
      </span>
      <button type="button" disabled={skip + size >= total} onClick={() => onSkip(skip + size)}>
        Older
      </button>
    </nav>
  );
