/**
 * The pictures of the guides: small WebP files of pages in a browser, and how far one is from the file that the guides show.
 * Runs in Node; writes into `dist/pictures`. `npm run docs:pictures` copies them to the guides.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";

const root = new URL("../../", import.meta.url).pathname;
const SHOWN = join(root, "src/docs/images");
const MADE = join(root, "dist/pictures");

const LARGEST_BYTES = 60 * 1024;

/** Both pictures are compared as this many squares: fonts may differ between machines, and what a page shows may not. */
const GRID = { columns: 48, rows: 30 };

/** The share of squares that may differ in brightness. Ids and times differ each time. */
const LARGEST_DIFFERENCE = 0.12;

/**
 * Takes a picture of what the page shows. It fails if the guides show another page.
 * @param canvas an empty page, to make the file in: the page's own policy allows no pictures of others
 */
export async function expectPicture(page: Page, canvas: Page, name: string): Promise<void> {
  const png = (await page.screenshot({ animations: "disabled", caret: "hide" })).toString("base64");
  const webp = await canvas.evaluate<string>(`(async () => {
    const image = await (async (data) => { const i = new Image(); i.src = data; await i.decode(); return i; })("data:image/png;base64,${png}");
    const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", 0.7).split(",")[1];
  })()`);
  mkdirSync(MADE, { recursive: true });
  writeFileSync(join(MADE, `${name}.webp`), Buffer.from(webp, "base64"));
  expect(Buffer.from(webp, "base64").length).toBeLessThan(LARGEST_BYTES);
  const file = join(SHOWN, `${name}.webp`);
  const before = existsSync(file) ? readFileSync(file).toString("base64") : "";
  const difference = before === "" ? 1 : await differenceOf(canvas, before, webp);
  expect(difference, `${name}.webp of the guides shows another page than there is: npm run docs:pictures`).toBeLessThan(
    LARGEST_DIFFERENCE,
  );
}

/** @returns the share of squares that differ */
const differenceOf = (page: Page, before: string, after: string): Promise<number> =>
  page.evaluate<number>(`(async () => {
    const squares = async (base64) => {
      const image = new Image();
      image.src = "data:image/webp;base64," + base64;
      await image.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width: ${GRID.columns}, height: ${GRID.rows} });
      const context = canvas.getContext("2d");
      context.imageSmoothingQuality = "high";
      context.drawImage(image, 0, 0, ${GRID.columns}, ${GRID.rows});
      const { data } = context.getImageData(0, 0, ${GRID.columns}, ${GRID.rows});
      return { size: image.width + "x" + image.height, light: Array.from({ length: data.length / 4 }, (_, i) => (data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 3) };
    };
    const [before, after] = await Promise.all([squares("${before}"), squares("${after}")]);
    if (before.size !== after.size) return 1;
    return before.light.filter((light, index) => Math.abs(light - after.light[index]) > 20).length / before.light.length;
  })()`);
