/// <reference types="vite/types/importMeta.d.ts" />
import { describe, expect, it } from "vitest";

// Tests run in workerd, which has no files: they are read when this is built.
const docs = import.meta.glob<string>("../../docs/security.md", {
  query: "?raw",
  import: "default",
  eager: true,
});
const files = import.meta.glob<string>(["../../{src,scripts,test}/**/*.ts"], {
  query: "?raw",
  import: "default",
  eager: true,
});

/** What a file holds, by its path in the project. */
function textOf(path: string): string | undefined {
  return files[`../../${path}`] ?? files[`../${path.replace(/^test\//, "")}`];
}

const rows = Object.values(docs)
  .join("\n")
  .split("\n")
  .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "")))
  .filter((cells) => cells.length === 4 && cells[0] !== "Threat")
  .map(([threat = "", measure = "", file = "", test = ""]) => ({
    threat,
    paths: [...measure.matchAll(/`((?:src|scripts)\/[^`]+)`/g)].map(([, path = ""]) => path),
    file: file.replaceAll("`", ""),
    test: test.replaceAll("`", ""),
  }));

/** Whether a test file has a test of exactly this name: `it("name"`, or `it.each(...)("name"`. */
function hasTest(text: string, name: string): boolean {
  const literal = JSON.stringify(name).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?:\\bit|\\))\\(\\s*${literal},`).test(text);
}

describe("the tables of docs/security.md", () => {
  it("are read as they are written", () => {
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.filter(({ threat, paths }) => threat === "" || paths.length === 0)).toEqual([]);
  });

  it.each(rows)("name a test that exists: $file, $test", ({ file, test }) => {
    const text = textOf(file);
    expect(text, `${file} does not exist`).toBeDefined();
    expect(hasTest(text ?? "", test), `${file} has no test "${test}"`).toBe(true);
  });

  it.each(rows)("name a measure that exists: $threat", ({ paths }) => {
    expect(paths.filter((path) => textOf(path) === undefined)).toEqual([]);
  });
});

describe("the search for a test", () => {
  it.each([
    ['it("works", async () => {', true],
    ['it.each([1, 2])("works", () => {', true],
    [']\n)(\n    "works",\n    async () => {', true],
    ['it("works well", () => {', false],
    ['expect(text).toBe("works")', false],
    ["// works", false],
  ])("in %j finds it or not: %j", (text, found) => {
    expect(hasTest(text, "works")).toBe(found);
  });
});
