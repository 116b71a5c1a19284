/**
 * Pages and batches: parts of a list that are read at once. Pure.
 */

/** The requested part of a list. */
export interface PageRequest {
  limit: number;
  skip: number;
}

export interface Page<T> {
  results: T[];
  /** All matching items, on every page. */
  total: number;
}

export interface PaginatorInfo {
  count: number;
  currentPage: number;
  hasMorePages: boolean;
  lastPage: number;
  limit: number;
  perPage: number;
  total: number;
}

/** Pagination fields of the Session API. */
export function paginatorInfo({ results, total }: Page<unknown>, { limit, skip }: PageRequest): PaginatorInfo {
  return {
    count: results.length,
    currentPage: Math.floor(skip / limit) + 1,
    hasMorePages: skip + results.length < total,
    lastPage: Math.max(1, Math.ceil(total / limit)),
    limit,
    perPage: limit,
    total,
  };
}

/** The next items of a log: up to a limit, or as many as fit. */
export interface Batch<T> {
  items: T[];
  /** Whether the log has more items after these. */
  hasMore: boolean;
}

/**
 * The most text of a log that is read or passed on at once, in UTF-16 code units, unless a single message has more. Many
 * readers share the 128 MB of an isolate, and each step on a batch's way copies it.
 */
export const MAX_BATCH_CHARACTERS = 262_144;
