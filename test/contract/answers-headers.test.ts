import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator, seen } from "../support/administrator.ts";
import { answer } from "../support/answers.ts";
import { type Call, call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { sampleSettings } from "../support/samples.ts";

describe.each(families)("headers of every answer, $family", ({ address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  const reject = {
    SMTP_SETTINGS: new Proxy(env.SMTP_SETTINGS, { get: () => () => Promise.reject("down") }),
  };
  const ways: [number, Call, string?][] = [
    [200, { body: sampleSettings }],
    [400, { body: {} }],
    [401, { headers: { Authorization: "" } }],
    [404, {}],
    [404, {}, "/elsewhere"],
    [405, { method: "PUT" }],
    [413, { body: " ".repeat(16 * 1024 + 1) }],
    [415, { body: "x", headers: { "Content-Type": "text/plain" } }],
    [503, { env: { SETTINGS_KEYS: "" } }],
    [503, { env: reject }],
  ];

  it.each(ways)(
    "%i: cannot be cached, sniffed or downgraded, and has an id (%#)",
    async (status, how, end = "") => {
      const response = await call(`${ada.url}${end}`, { token: ada.token, ...how });
      expect(response.status).toBe(status);
      expect(headersOf(response)).toEqual({ ...ourHeaders, hsts: "max-age=31536000" });
      expect(await response.json()).toMatchObject({ subSystem: 8, message: expect.any(String) });
    },
  );

  it("500: the same, for a record that does not open", async () => {
    await env.SMTP_SETTINGS.put(`smtp:${ada.tenant}`, "not a record");
    const response = await ada.send();
    expect(headersOf(response)).toEqual({ ...ourHeaders, hsts: "max-age=31536000" });
    expect(await seen(response)).toEqual(
      answer(500, "INTERNAL_SERVER_ERROR", "Something went wrong on our side."),
    );
  });

  it("403 over plain http: the same, but no HSTS, which browsers have to ignore there", async () => {
    const response = await call(ada.url.replace("https:", "http:"), { token: ada.token });
    expect(response.status).toBe(403);
    expect(headersOf(response)).toEqual({ ...ourHeaders, hsts: null });
  });

  it("have an id of their own", async () => {
    const ids = [await ada.send(), await ada.send()].map(({ headers }) => headers.get("X-Request-Id"));
    expect(new Set(ids).size).toBe(2);
  });
});

const ourHeaders = {
  cache: expect.stringMatching(/^no-store(, no-transform)?$/),
  sniffing: "nosniff",
  id: expect.stringMatching(/^[\da-f-]{36}$/),
};

function headersOf({ headers }: Response) {
  return {
    cache: headers.get("Cache-Control"),
    sniffing: headers.get("X-Content-Type-Options"),
    id: headers.get("X-Request-Id"),
    hsts: headers.get("Strict-Transport-Security"),
  };
}
