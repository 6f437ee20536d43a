import { type Context, Hono } from "hono";
import type { AppEnv } from "../context.ts";
import { allowMethods } from "../middleware/allow-methods.ts";
import { anyOrigin } from "../middleware/any-origin.ts";
import { platformHost } from "../middleware/tenant.ts";

/** The base host in the built files. */
export const EXAMPLE_HOSTNAME = "mail.example.com";

const PAGE_HEADERS = {
  "Content-Type": "text/html; charset=UTF-8",
  // The page has no script, so the policy allows none: injected markup could not run any.
  "Content-Security-Policy":
    "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "Referrer-Policy": "no-referrer",
};

/** Serves the OpenAPI document, as JSON and as a page. `scripts/build-docs.ts` builds the files. */
export function docsRoutes() {
  const guards = [platformHost(), allowMethods("GET", "HEAD")] as const;
  return new Hono<AppEnv>()
    .use("/openapi.json", anyOrigin(), ...guards)
    .use("/docs", anyOrigin(), ...guards)
    .use("/docs.css", ...guards)
    .get("/openapi.json", async (c) =>
      c.body(await readFile(c, "openapi.json"), 200, { "Content-Type": "application/json" }),
    )
    .get("/docs", async (c) => c.body(await readFile(c, "docs.html"), 200, PAGE_HEADERS))
    .get("/docs.css", async (c) =>
      c.body(await readFile(c, "docs.css"), 200, { "Content-Type": "text/css; charset=utf-8" }),
    );
}

/** Reads the body of a static asset, and drops its headers, which allow caching. */
async function readFile(c: Context<AppEnv>, name: string): Promise<string> {
  // The binding ignores the host.
  const asset = await c.env.ASSETS.fetch(`https://assets.invalid/digitanium/v4/mail/${name}`);
  if (!asset.ok) throw new Error("a built file is missing");
  return (await asset.text()).replaceAll(EXAMPLE_HOSTNAME, c.var.config.hostname);
}
