import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { type CallOptions, call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { BODY_MAX_BYTES } from "../support/request-body.ts";
import { internalError, readJson } from "../support/responses.ts";
import { sampleSettings } from "../support/samples.ts";

const HSTS = "max-age=31536000";

const generalHeaders = {
  caching: expect.stringMatching(/^no-store(, no-transform)?$/),
  sniffing: "nosniff",
  id: expect.stringMatching(/^[\da-f-]{36}$/),
};

describe.each(families)("headers of every response ($family)", ({ address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  const failingKv = new Proxy(env.SMTP_SETTINGS, { get: () => () => Promise.reject("down") });
  const requests: [number, string, CallOptions, string?][] = [
    [200, "a save", { body: sampleSettings }],
    [400, "an invalid body", { body: {} }],
    [401, "no token", { headers: { Authorization: "" } }],
    [404, "a read of nothing", {}],
    [404, "an unknown path", {}, "/elsewhere"],
    [405, "a wrong method", { method: "PUT" }],
    [413, "a large body", { body: " ".repeat(BODY_MAX_BYTES + 1) }],
    [415, "a wrong media type", { body: "x", headers: { "Content-Type": "text/plain" } }],
    [503, "an invalid configuration", { env: { SETTINGS_KEYS: "" } }],
    [503, "a KV outage", { env: { SMTP_SETTINGS: failingKv } }],
  ];

  it.each(requests)(
    "%i after %s prevents caching, sniffing and downgrades, and has an id",
    async (status, _, options, path = "") => {
      const response = await call(`${ada.url}${path}`, { token: ada.token, ...options });
      expect(response.status).toBe(status);
      expect(headersOf(response)).toEqual({ ...generalHeaders, hsts: HSTS });
      expect(await response.json()).toMatchObject({ subSystem: 8, message: expect.any(String) });
    },
  );

  it("500 after an unreadable record prevents them too", async () => {
    await env.SMTP_SETTINGS.put(`smtp:${ada.tenant}`, "not a record");
    const response = await ada.send();
    expect(headersOf(response)).toEqual({ ...generalHeaders, hsts: HSTS });
    expect(await readJson(response)).toEqual(internalError);
  });

  it("403 over plain http has no HSTS, which browsers ignore there", async () => {
    const response = await call(ada.url.replace("https:", "http:"), { token: ada.token });
    expect(response.status).toBe(403);
    expect(headersOf(response)).toEqual({ ...generalHeaders, hsts: null });
  });

  it("identify each request", async () => {
    const ids = [await ada.send(), await ada.send()].map(({ headers }) => headers.get("X-Request-Id"));
    expect(new Set(ids).size).toBe(2);
  });
});

function headersOf({ headers }: Response) {
  return {
    caching: headers.get("Cache-Control"),
    sniffing: headers.get("X-Content-Type-Options"),
    id: headers.get("X-Request-Id"),
    hsts: headers.get("Strict-Transport-Security"),
  };
}
