import { Hono } from "hono";
import { version } from "../../package.json";
import type { Config } from "../config.ts";
import type { AppEnv } from "../http/app-env.ts";
import { readOnly } from "../http/read-only.ts";
import { platformHost } from "../http/tenant.ts";
import { openApiDocument } from "./document.ts";
import { docsPage } from "./page/page.ts";
import { STYLESHEET } from "./page/stylesheet.ts";

/** The page has no script, and nothing from elsewhere: should text ever get past the escaping, it stays text. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** The description of the API, for programs and for people. Made on first use, once an isolate. */
export function openApiRoutes() {
  const documents = new WeakMap<Config, string>();
  const pages = new WeakMap<Config, string>();
  const guards = [platformHost(), readOnly()] as const;
  return new Hono<AppEnv>()
    .use("/openapi.json", ...guards)
    .use("/docs", ...guards)
    .use("/docs.css", ...guards)
    .get("/openapi.json", (c) => {
      const { config } = c.var;
      const document =
        documents.get(config) ?? JSON.stringify(openApiDocument({ hostname: config.hostname, version }));
      documents.set(config, document);
      return c.body(document, 200, { "Content-Type": "application/json" });
    })
    .get("/docs", async (c) => {
      const { config } = c.var;
      const page =
        pages.get(config) ?? String(await docsPage(openApiDocument({ hostname: config.hostname, version })));
      pages.set(config, page);
      c.header("Content-Security-Policy", CONTENT_SECURITY_POLICY);
      c.header("Referrer-Policy", "no-referrer");
      return c.html(page);
    })
    .get("/docs.css", (c) => c.body(STYLESHEET, 200, { "Content-Type": "text/css; charset=utf-8" }));
}
