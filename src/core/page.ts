/** Which part of a list is asked for. */
export interface PageRequest {
  limit: number;
  skip: number;
}

export interface Page<T> {
  results: T[];
  /** All that match, on every page. */
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

/** Where a page stands in its list, as the Session API tells it. */
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

/** As much of a log as was asked for, or as fits. */
export interface Batch<T> {
  items: T[];
  /** Whether more follow. */
  hasMore: boolean;
}

/**
 * How much text is read or handed on at once, in UTF-16 code units: no more than 32 MiB cross an RPC boundary.
 * https://developers.cloudflare.com/workers/runtime-apis/rpc/#limitations
 */
export const MAX_BATCH_CHARACTERS = 4_000_000;
