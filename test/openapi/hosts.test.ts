/// <reference types="vite/types/importMeta.d.ts" />

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { EXAMPLE_HOSTNAME } from "../../src/docs/routes.ts";
import { call } from "../support/client.ts";
import { jsonResponse, notFound, readJson } from "../support/responses.ts";

const wranglerConfig = import.meta.glob<string>("../../wrangler.toml", {
  query: "?raw",
  import: "default",
  eager: true,
});

const PATHS = ["health", "openapi.json", "docs", "docs.css"];

describe.each(PATHS)("%s", (path) => {
  const at = (host: string, scheme = "https") => `${scheme}://${host}/digitanium/v4/mail/${path}`;

  it.each(["example.com", "acme.example.com", "ACME.example.com.", "acme.example.com:8787"])(
    "responds on %s",
    async (host) => {
      expect((await call(at(host))).status).toBe(200);
    },
  );

  it.each([
    "example.org",
    "acme.example.org",
    "notexample.com",
    "example.com.example.org",
    "a.b.example.com",
    "xn--bcher-kva.example.com",
    "-a.example.com",
    "127.0.0.1",
  ])("responds 404 on %s", async (host) => {
    expect(await readJson(await call(at(host)))).toEqual(notFound);
  });

  it("responds 404 to another method on another host", async () => {
    expect(await readJson(await call(at("example.org"), { method: "POST" }))).toEqual(notFound);
  });

  it("responds 403 over plain http", async () => {
    const message = "Plain http is rejected. Use https, and revoke any token that was sent without it.";
    expect(await readJson(await call(at("example.com", "http")))).toEqual(
      jsonResponse(403, "FORBIDDEN", message),
    );
  });

  it.each(["example.com", "acme.example.com"])("rejects POST on %s", async (host) => {
    const response = await call(at(host), { method: "POST" });
    expect([response.status, response.headers.get("Allow")]).toEqual([405, "GET, HEAD"]);
  });
});

describe.each(["openapi.json", "docs", "docs.css"])("built file behind %s", (path) => {
  const url = `https://example.com/digitanium/v4/mail/${path}`;

  it("lends its body only", async () => {
    const response = await call(url);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(response.headers.get("Strict-Transport-Security")).not.toBeNull();
    expect(response.headers.has("ETag")).toBe(false);
  });

  it.each([
    ["If-None-Match", '"x", *'],
    ["Range", "bytes=0-9"],
  ])("is complete despite %s", async (name, value) => {
    const [conditional, plain] = [await call(url, { headers: { [name]: value } }), await call(url)];
    expect(conditional.status).toBe(200);
    expect(await conditional.text()).toBe(await plain.text());
  });

  it("has no body for HEAD", async () => {
    const response = await call(url, { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });

  it("names the base host of the Worker", async () => {
    expect(await (await call(url)).text()).not.toContain(EXAMPLE_HOSTNAME);
  });

  it("is an unexpected error if it is missing", async () => {
    const ASSETS = { ...env.ASSETS, fetch: async () => new Response(null, { status: 404 }) };
    const response = await call(url, { env: { ASSETS } });
    expect(await readJson(response)).toEqual(
      jsonResponse(500, "INTERNAL_SERVER_ERROR", "Something went wrong on our side."),
    );
  });
});

it("has no address of its own", async () => {
  expect(await readJson(await call("https://example.com/digitanium/v4/mail/docs.html"))).toEqual(notFound);
});

it("requires that Workers run before static assets", () => {
  expect(Object.values(wranglerConfig)).toEqual([expect.stringMatching(/^run_worker_first = true$/m)]);
});
