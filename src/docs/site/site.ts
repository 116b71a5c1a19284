/**
 * The documentation at `/docs` as static pages: the guides, the decision records and the API reference.
 *
 * In this folder: `guides` reads the guides, `markdown` renders them, `reference` and `operation` make the reference of the OpenAPI
 * document, `samples` its calls, `layout` the frame of a page, `search-index` what the search looks through. `browser/` runs on
 * the pages. Reads the disk.
 */
import { imageFiles, readGuides } from "./guides.ts";
import type { Page, PageGroup } from "./guides.ts";
import { addressOf, layout } from "./layout.ts";
import type { BuiltFiles } from "./layout.ts";
import type { ApiDocument } from "./openapi.ts";
import { overviewPage } from "./overview.ts";
import { referencePages } from "./reference.ts";
import { searchIndex } from "./search-index.ts";

/** @returns contents by the path of the file */
export async function documentationFiles(
  document: ApiDocument,
  files: BuiltFiles,
): Promise<Record<string, string | Uint8Array>> {
  const groups = await allGroups(document);
  const pages = groups.flatMap((group) => [...group.pages, ...(group.listed ?? [])]);
  const entries = pages.map(async (page): Promise<[string, string]> => [
    `${addressOf(page).slice(1)}.html`,
    String(await layout(page, { groups, files })),
  ]);
  return {
    ...Object.fromEntries(await Promise.all(entries)),
    ...imageFiles(),
    "docs/search.json": JSON.stringify(searchIndex(pages)),
  };
}

/** The overview, the guides, and the reference before what contributors read. */
async function allGroups(document: ApiDocument): Promise<PageGroup[]> {
  const guides = readGuides();
  const reference = await referencePages(document);
  const groups = [...guides.slice(0, -1), reference, ...guides.slice(-1)];
  const overview: Page = await overviewPage(groups);
  return [{ title: "Start", pages: [overview] }, ...groups];
}
