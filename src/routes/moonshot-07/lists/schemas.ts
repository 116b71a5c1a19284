/** The schema of the query of Moonshot's benchmark lists. */
import * as z from "zod/mini";
import { ignored } from "../../moonshot-shared/schemas.ts";

/** Filters of lists that are empty here. Moonshot's UI without filters sends one that is named `undefined`. */
export const BenchmarkList = z.strictObject({
  ids: ignored,
  tags: ignored,
  categories: ignored,
  categories_excluded: ignored,
  sort_by: ignored,
  count: ignored,
  undefined: ignored,
});
