import { describe, expect, it } from "vitest";
import { seen } from "../support/administrator.ts";
import { answer, notFound } from "../support/answers.ts";
import { call } from "../support/client.ts";

const PATHS = ["health", "openapi.json", "docs", "docs.css"];

describe.each(PATHS)("%s", (path) => {
  const at = (host: string, scheme = "https") => `${scheme}://${host}/digitanium/v4/mail/${path}`;

  it.each(["example.com", "acme.example.com", "ACME.example.com.", "acme.example.com:8787"])(
    "is there on %s",
    async (host) => {
      expect((await call(at(host))).status).toBe(200);
    },
  );

  it.each([
    ...["example.org", "acme.example.org", "notexample.com", "example.com.example.org"],
    ...["a.b.example.com", "xn--bcher-kva.example.com", "-a.example.com", "127.0.0.1"],
  ])("is not there on %s", async (host) => {
    expect(await seen(await call(at(host)))).toEqual(notFound);
  });

  it("is not there on another host, whatever the method", async () => {
    expect(await seen(await call(at("example.org"), { method: "POST" }))).toEqual(notFound);
  });

  it("is refused over plain http", async () => {
    const message = "Plain http is refused. Use https, and revoke a token that was sent without it.";
    expect(await seen(await call(at("example.com", "http")))).toEqual(answer(403, "FORBIDDEN", message));
  });

  it.each(["example.com", "acme.example.com"])("knows no POST on %s", async (host) => {
    const response = await call(at(host), { method: "POST" });
    expect([response.status, response.headers.get("Allow")]).toEqual([405, "GET, HEAD"]);
  });
});
