import { beforeEach, describe, expect, it } from "vitest";
import { docsPage } from "../../openapi/page/page.ts";
import { call } from "../support/client.ts";
import { document, operations } from "../support/documented.ts";

const URL_OF_PAGE = "https://acme.example.com/digitanium/v4/mail/docs";

describe("the page", () => {
  let response: Response;
  let page: string;
  beforeEach(async () => {
    response = await call(URL_OF_PAGE);
    page = await response.clone().text();
  });

  it("is HTML with a policy that allows its style sheet only", () => {
    expect(response.headers.get("Content-Type")).toBe("text/html; charset=UTF-8");
    expect(response.headers.get("Content-Security-Policy")).toBe(
      "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
  });

  it("has no script, event handler or inline style, which the policy would block", () => {
    expect(page).not.toMatch(/<(script|style|iframe|object|embed|base|form|img|svg)\b/i);
    expect(page).not.toMatch(/<[^>]*\s(on\w+|style|src|srcdoc)=/i);
  });

  it("loads the style sheet beside it only", async () => {
    const links = Array.from(page.matchAll(/<link [^>]*>/g), ([link]) => link);
    expect(links).toEqual(['<link rel="stylesheet" href="docs.css">']);
    const sheet = await call(URL_OF_PAGE.replace(/docs$/, "docs.css"));
    expect(sheet.headers.get("Content-Type")).toBe("text/css; charset=utf-8");
    expect(await sheet.text()).not.toMatch(/url\(|@import/);
  });

  it("links to its own anchors, which are unique, and to the document only", () => {
    const ids = Array.from(page.matchAll(/ id="([^"]+)"/g), ([, id]) => `#${id}`);
    expect(ids).toEqual([...new Set(ids)]);
    const targets = Array.from(page.matchAll(/<a [^>]*href="([^"]+)"/g), ([, href = ""]) => href);
    expect(targets.filter((href) => !ids.includes(href))).toEqual(["openapi.json"]);
  });

  it.each(operations.map(({ method, path }) => ({ method: method.toUpperCase(), path })))(
    "lists $method $path",
    ({ method, path }) => {
      const host = path.startsWith("/auth/") ? "{hostname}" : "{tenant}.{hostname}";
      expect(page).toContain(`>${method}</span>\n<code>https://${host}<b>${path}</b>`);
    },
  );

  it("lists each field of a save", () => {
    for (const field of Object.keys(document.components.schemas.Settings?.properties ?? {})) {
      expect(page).toContain(`<th scope="row"><code>${field}</code>`);
    }
  });

  it("has a language, landmarks, one main heading and a skip link", () => {
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
    for (const tag of ["header", "nav", "main", "h1"]) {
      expect(page.match(new RegExp(`<${tag}[ >]`, "g"))).toHaveLength(1);
    }
    expect(page).toContain('<a class="skip" href="#content">');
  });

  it("has tables with captions and scoped headers", () => {
    const tables = page.match(/<table>/g)?.length ?? 0;
    expect(tables).toBeGreaterThan(20);
    expect(page.match(/<table>\s*<caption>[^<]+<\/caption>/g)).toHaveLength(tables);
    expect(page).not.toMatch(/<th>/);
  });
});

describe("hostile text in the document", () => {
  const hostile = `</code><script>alert("1")</script>'&amp;`;

  it.each([
    ["a title", { info: { ...document.info, title: hostile } }],
    ["a description", { info: { ...document.info, description: hostile } }],
    ["a schema name", { components: { ...document.components, schemas: { [hostile]: {} } } }],
    ["a server", { servers: document.servers.map((server) => ({ ...server, url: hostile })) }],
  ])("is escaped: %s", async (_, changes) => {
    const page = String(await docsPage({ ...document, ...changes }));
    expect(page).not.toContain("<script");
    expect(page).toContain("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;amp;");
  });

  it("is escaped: an example", async () => {
    const examples = { hostile: { summary: hostile, value: { [hostile]: hostile } } };
    const text = JSON.stringify(document, (name, value) =>
      name === "examples" && !Array.isArray(value) ? examples : value,
    );
    const page = String(await docsPage(JSON.parse(text)));
    expect(page).not.toContain("<script");
    expect(page).toContain("&lt;script&gt;alert(\\&quot;1\\&quot;)");
  });
});
