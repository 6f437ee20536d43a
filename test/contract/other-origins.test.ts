import { describe, expect, it } from "vitest";
import { newAdministrator } from "../support/administrator.ts";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { faultyKv } from "../support/faulty-kv.ts";
import { sampleSettings } from "../support/samples.ts";

const Origin = "https://status.example.org";

const preflight = {
  method: "OPTIONS",
  headers: {
    Origin,
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "traceparent",
  },
};

/** The headers by which a browser decides what scripts of other origins may do. */
function permissionsOf({ headers }: Response): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name.startsWith("access-control-")));
}

describe.each(["health", "openapi.json", "docs"])("%s", (path) => {
  const readable = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "X-Request-Id",
  };
  const urls = ["example.com", "acme.example.com"].map(
    (host) => `https://${host}/digitanium/v4/mail/${path}`,
  );

  it.each(urls)("may be read by scripts of any origin: %s", async (url) => {
    for (const method of ["GET", "HEAD"]) {
      const response = await call(url, { method, headers: { Origin } });
      expect([response.status, permissionsOf(response)]).toEqual([200, readable]);
    }
  });

  it.each(urls)("may be read with headers of their own, but no token: %s", async (url) => {
    const response = await call(url, preflight);
    expect([response.status, permissionsOf(response)]).toEqual([
      204,
      { ...readable, "access-control-allow-methods": "GET,HEAD", "access-control-allow-headers": "*" },
    ]);
    expect(response.headers.get("X-Request-Id")).toMatch(/^[\da-f-]{36}$/);
  });

  it("takes no other method", async () => {
    expect((await call(urls[0] ?? "", { method: "POST", headers: { Origin } })).status).toBe(405);
  });
});

it("shows scripts of any origin that the Worker is not healthy", async () => {
  const { kv: SMTP_SETTINGS } = faultyKv("get", "KV GET failed: 500 Internal Server Error", 1);
  const url = "https://example.com/digitanium/v4/mail/health";
  for (const env of [{ SMTP_SETTINGS }, { SETTINGS_KEYS: "" }]) {
    const response = await call(url, { headers: { Origin }, env });
    expect([response.status, response.headers.get("Access-Control-Allow-Origin")]).toEqual([503, "*"]);
  }
});

describe.each(families)("everything else ($family)", ({ address, testAddress }) => {
  it("is closed to scripts of other origins, with and without a token", async () => {
    const ada = await newAdministrator(address);
    const messages = ada.url.replace(/\w+$/, "messages");
    const urls = [ada.url, `${ada.url}/history`, testAddress(ada.tenant), messages, `${messages}/1`];
    const headers = { Origin };
    for (const url of urls) {
      const read = await call(url, { token: ada.token, headers });
      const refused = await call(url, { headers });
      const asked = await call(url, { ...preflight, headers: { ...preflight.headers, Origin } });
      expect(asked.status).toBe(405);
      expect([read, refused, asked].map(permissionsOf)).toEqual([{}, {}, {}]);
    }
    const saved = await ada.send({ body: sampleSettings, headers });
    expect([saved.status, permissionsOf(saved)]).toEqual([200, {}]);
  });

  it("includes what is found nowhere", async () => {
    const response = await call(`${address("acme")}/elsewhere`, { headers: { Origin } });
    expect([response.status, permissionsOf(response)]).toEqual([404, {}]);
  });
});
