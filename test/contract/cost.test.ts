import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { type CallOptions, call } from "../support/client.ts";
import { countingKv } from "../support/counting-kv.ts";
import { families } from "../support/families.ts";
import { saved } from "../support/responses.ts";
import { sampleSettings } from "../support/samples.ts";

describe.each(families)("the cost of a request ($family)", ({ address }) => {
  /** An administrator who has saved the sample, with the issuer's keys already cached. */
  async function warmAdministrator(): Promise<Administrator> {
    const ada = await newAdministrator(address);
    expect(await ada.save(sampleSettings, { env: {} })).toEqual(saved);
    return ada;
  }

  async function costOf(ada: Administrator, options: CallOptions) {
    const { kv, operations } = countingKv(env.SMTP_SETTINGS);
    const fetchesBefore = await ada.realm.fetches();
    const { status } = await ada.send({ ...options, env: { SMTP_SETTINGS: kv } });
    return { status, operations, fetches: (await ada.realm.fetches()) - fetchesBefore };
  }

  it("is one JWKS fetch for the first request of a tenant", async () => {
    const ada = await newAdministrator(address);
    expect(await costOf(ada, { body: sampleSettings })).toMatchObject({ status: 200, fetches: 1 });
  });

  it("is one KV get and one put for a save, and one put for its history", async () => {
    const ada = await warmAdministrator();
    expect(await costOf(ada, { body: sampleSettings })).toEqual({
      status: 200,
      operations: ["get smtp", "put smtp", "put history"],
      fetches: 0,
    });
  });

  it("is no second KV get for a save with a masked password and If-Match", async () => {
    const ada = await warmAdministrator();
    const headers = { "If-Match": (await ada.send()).headers.get("ETag") ?? "" };
    const body = { ...sampleSettings, password: "**********" };
    expect(await costOf(ada, { body, headers })).toEqual({
      status: 200,
      operations: ["get smtp", "put smtp", "put history"],
      fetches: 0,
    });
  });

  it("is one KV get for a save that must not keep the password", async () => {
    const ada = await warmAdministrator();
    const body = { ...sampleSettings, host: "smtp.example.net", password: "**********" };
    expect(await costOf(ada, { body })).toEqual({ status: 400, operations: ["get smtp"], fetches: 0 });
  });

  it("is one KV get for a read", async () => {
    const ada = await warmAdministrator();
    expect(await costOf(ada, {})).toEqual({ status: 200, operations: ["get smtp"], fetches: 0 });
  });

  it("is one KV delete for a delete, and one put for its history", async () => {
    const ada = await warmAdministrator();
    expect(await costOf(ada, { method: "DELETE" })).toEqual({
      status: 200,
      operations: ["delete smtp", "put history"],
      fetches: 0,
    });
  });

  it.each<[string, number, CallOptions]>([
    ["invalid fields", 400, { body: {} }],
    ["an invalid token", 401, { token: "x.y.z" }],
    ["a wrong method", 405, { method: "PUT" }],
  ])("is nothing for %s", async (_, status, options) => {
    const ada = await warmAdministrator();
    expect(await costOf(ada, options)).toEqual({ status, operations: [], fetches: 0 });
  });

  it("is nothing over plain http", async () => {
    const ada = await newAdministrator(address);
    const { kv, operations } = countingKv(env.SMTP_SETTINGS);
    const url = ada.url.replace("https:", "http:");
    const { status } = await call(url, {
      token: ada.token,
      body: sampleSettings,
      env: { SMTP_SETTINGS: kv },
    });
    expect({ status, operations, fetches: await ada.realm.fetches() }).toEqual({
      status: 403,
      operations: [],
      fetches: 0,
    });
  });
});
