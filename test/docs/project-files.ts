/// <reference types="vite/types/importMeta.d.ts" />

// workerd has no file system: Vite reads the files at build time.
const pageFiles = import.meta.glob<string>("../../{*,docs/**/*}.md", {
  query: "?raw",
  import: "default",
  eager: true,
});
const configFiles = import.meta.glob<string>("../../wrangler.toml", {
  query: "?raw",
  import: "default",
  eager: true,
});
const sourceFiles = import.meta.glob<string>("../../{src,scripts,test}/**/*.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});
const otherFiles = import.meta.glob("../../{LICENSE,package.json,openapi/**/*.ts,bench/**/*.ts}", {
  query: "?raw",
});

/** Text of each Markdown page, by its path in the project. */
export const pages = byProjectPath(pageFiles);

/** Text of each file in `src/`, `scripts/` and `test/`, by its path in the project. */
export const sources = byProjectPath(sourceFiles);

/** Text of `wrangler.toml`. */
export const wranglerToml = Object.values(configFiles).join("");

/** Paths that a page may link to. */
export const paths = new Set(
  [pages, sources, byProjectPath(otherFiles)].flatMap((files) => [...files.keys()]),
);

/** The cells of each table row of a page, without header and separator rows. */
export function tableRows(page: string): string[][] {
  const lines = page.split("\n");
  const isSeparator = (line: string | undefined) => /^\|[-|]+\|$/.test(line ?? "");
  return lines
    .filter((line, at) => line.startsWith("| ") && !isSeparator(lines[at + 1]))
    .map((line) =>
      line
        .split("|")
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
}

/** @param path of the page in the project, such as `docs/api.md` */
export function pageAt(path: string): string {
  const page = pages.get(path);
  if (page === undefined) throw new Error(`${path} does not exist`);
  return page;
}

/** Replaces paths relative to this file by paths in the project. */
function byProjectPath<File>(files: Record<string, File>): Map<string, File> {
  return new Map(
    Object.entries(files).map(([path, file]) => [
      new URL(path, "file:///test/docs/").pathname.slice(1),
      file,
    ]),
  );
}
