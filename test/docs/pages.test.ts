import { describe, expect, it } from "vitest";
import { queryParameters } from "../../openapi/lib/schemas.ts";
import { scripts } from "../../package.json";
import { GENERATED_TABLES, withTables } from "../../scripts/lib/generated-tables.ts";
import { MAIL_STATES } from "../../src/delivery/mail-row.ts";
import { listQuerySchema } from "../../src/delivery/schema.ts";
import { pageAt, pages, paths, tableRows, wranglerToml } from "./project-files.ts";

const readme = pageAt("README.md");

describe("README.md", () => {
  it("links every page of docs/", () => {
    const docs = [...pages.keys()].filter((path) => path.startsWith("docs/")).sort();
    const linked = linksOf(readme).flatMap(([path = ""]) => (path.startsWith("docs/") ? path : []));
    expect(docs).toContain("docs/security.md");
    expect([...new Set(linked)].sort()).toEqual(docs);
  });

  it("starts with two one-line commands whose scripts exist", () => {
    const [, quickStart = ""] = /^## Quick start\n(.*?)^## /ms.exec(readme) ?? [];
    const commands = [...quickStart.matchAll(/^```sh\n(.*?)```$/gms)].map(([, command]) => command);
    expect(commands).toEqual(["npm install && npm run demo\n", "npm install && npm test\n"]);
    expect(scripts).toMatchObject({ demo: expect.any(String), test: expect.any(String) });
  });

  it("has at most 150 lines", () => {
    expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(150);
  });
});

describe("links", () => {
  it.each([...pages.keys()])("in %s point to files and headings that exist", (from) => {
    const broken = linksOf(pageAt(from))
      .filter(([path]) => !/^\w+:/.test(path ?? ""))
      .filter(([path, anchor]) => {
        const target = path ? new URL(path, `file:///${from}`).pathname.slice(1) : from;
        if (!paths.has(target)) return true;
        return anchor !== undefined && !anchorsOf(pageAt(target)).includes(anchor);
      });
    expect(broken).toEqual([]);
  });
});

describe("the tables of npm run tables", () => {
  it.each(Object.keys(GENERATED_TABLES))("in %s are those of the code", (page) => {
    expect(pageAt(page)).toBe(withTables(page, pageAt(page)));
  });
});

describe("docs/delivery.md", () => {
  const firstCells = tableRows(pageAt("docs/delivery.md")).flatMap(([cell = ""]) => [
    ...cell.matchAll(/`([^`]+)`/g),
  ]);
  const documented = firstCells.map(([, name]) => name);

  it("lists every state", () => {
    expect(documented).toEqual(expect.arrayContaining([...MAIL_STATES]));
  });

  it("lists every query parameter", () => {
    const parameters = queryParameters(listQuerySchema).map(({ name }) => name);
    expect(documented).toEqual(expect.arrayContaining(parameters));
  });
});

describe("docs/configuration.md", () => {
  const documented = tableRows(pageAt("docs/configuration.md")).map(([name = "", value = ""]) => ({
    name: name.replace(/^`(\w+)`.*/, "$1"),
    value: value.replaceAll("`", ""),
  }));
  const [, vars = ""] = /^\[vars\]\n(.*?)^\[/ms.exec(wranglerToml) ?? [];
  const variables = [...vars.matchAll(/^(\w+) *= *"(.*)"$/gm)].map(([, name = "", value = ""]) => ({
    name,
    value,
  }));

  it("lists every variable of wrangler.toml with its default", () => {
    expect(variables.length).toBeGreaterThan(5);
    expect(documented).toEqual(expect.arrayContaining(variables));
  });

  it.each([
    ["binding", /^(?:binding|name) *= *"([A-Z_]+)"/gm],
    ["secret", /^required *= *\["(\w+)"\]/gm],
  ])("lists every %s of wrangler.toml", (_, pattern) => {
    const names = [...wranglerToml.matchAll(pattern)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(0);
    expect(documented.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });
});

/** Targets of a page's links, each with its anchor if it has one. */
function linksOf(page: string): (string | undefined)[][] {
  return [...withoutCode(page).matchAll(/\]\(([^)#\s]*)(?:#([^)\s]*))?\)/g)].map(([, ...target]) => target);
}

/** Anchors that GitHub gives to the headings of a page. */
function anchorsOf(page: string): string[] {
  return [...withoutCode(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .replace(/\s/g, "-"),
  );
}

function withoutCode(page: string): string {
  return page.replace(/^ *```.*?^ *```$/gms, "");
}
