/// <reference types="vite/types/importMeta.d.ts" />
import { describe, expect, it } from "vitest";
import { scripts } from "../../package.json";

// Tests run in workerd, which has no files: they are read when this is built.
const readmes = import.meta.glob<string>("../../README.md", {
  query: "?raw",
  import: "default",
  eager: true,
});
const docs = Object.keys(import.meta.glob("../../docs/**/*.md", { query: "?raw", import: "default" }))
  .map((path) => path.replace("../../", ""))
  .sort();

const readme = Object.values(readmes).join("\n");

describe("README.md", () => {
  it("links every file of docs/, and no other", () => {
    const linked = [...readme.matchAll(/\]\((docs\/[^)#]+)/g)].map(([, path]) => path);
    expect(docs).toContain("docs/security.md");
    expect([...new Set(linked)].sort()).toEqual(docs);
  });

  it("has two commands for a quick start, of one line each, whose scripts exist", () => {
    const [, quickStart = ""] = /^## Quick start\n(.*?)^## /ms.exec(readme) ?? [];
    const commands = [...quickStart.matchAll(/^```sh\n(.*?)```$/gms)].map(([, command]) => command);
    expect(commands).toEqual(["npm install && npm run demo\n", "npm install && npm test\n"]);
    expect(scripts).toMatchObject({ demo: expect.any(String), test: expect.any(String) });
  });
});
