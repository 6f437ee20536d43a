import { describe, expect, it } from "vitest";
import { pageAt, paths, sources, tableRows } from "./project-files.ts";

const rows = tableRows(pageAt("docs/security.md")).map(
  ([threat = "", measure = "", file = "", test = ""]) => ({
    threat,
    measures: [...measure.matchAll(/`((?:src|scripts)\/[^`]+|package\.json)`/g)].map(([, path = ""]) => path),
    file: file.replaceAll("`", ""),
    test: test.replaceAll("`", ""),
  }),
);

/** Whether a test file has a test with exactly this name: `it("name"`, or `it.each(...)("name"`. */
function hasTest(text: string, name: string): boolean {
  const literal = JSON.stringify(name).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?:\\bit|\\))\\(\\s*${literal},`).test(text);
}

describe("docs/security.md", () => {
  it("has a threat, a measure, a test file and a test in every row", () => {
    expect(rows.length).toBeGreaterThan(50);
    const incomplete = ({ threat, measures, file, test }: (typeof rows)[number]) =>
      threat === "" || measures.length === 0 || file === "" || test === "";
    expect(rows.filter(incomplete)).toEqual([]);
  });

  it.each(rows)("names an existing test: $file, $test", ({ file, test }) => {
    const text = sources.get(file);
    expect(text, `${file} does not exist`).toBeDefined();
    expect(hasTest(text ?? "", test), `${file} has no test "${test}"`).toBe(true);
  });

  it.each(rows)("names an existing measure: $threat", ({ measures }) => {
    expect(measures.filter((path) => !paths.has(path))).toEqual([]);
  });
});

describe("hasTest", () => {
  it.each([
    ['it("works", async () => {', true],
    ['it.each([1, 2])("works", () => {', true],
    [']\n)(\n    "works",\n    async () => {', true],
    ['it("works well", () => {', false],
    ['expect(text).toBe("works")', false],
    ["// works", false],
  ])("in %j: %j", (text, found) => {
    expect(hasTest(text, "works")).toBe(found);
  });
});
