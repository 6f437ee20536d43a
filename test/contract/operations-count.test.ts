import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { saved } from "../support/answers.ts";
import { type Call, call } from "../support/client.ts";
import { countingKv } from "../support/counting-kv.ts";
import { families } from "../support/families.ts";
import { sampleSettings } from "../support/samples.ts";

describe.each(families)("what a request costs, $family", ({ address }) => {
  /** An administrator whose issuer's keys the isolate already has, and who has saved the sample. */
  async function warmAdministrator(): Promise<Administrator> {
    const ada = await newAdministrator(address);
    expect(await ada.save(sampleSettings, { env: {} })).toEqual(saved);
    return ada;
  }

  async function costOf(ada: Administrator, changes: Call) {
    const { kv, operations } = countingKv(env.SMTP_SETTINGS);
    const fetchesBefore = await ada.realm.fetches();
    const { status } = await ada.send({ ...changes, env: { SMTP_SETTINGS: kv } });
    return { status, operations, fetches: (await ada.realm.fetches()) - fetchesBefore };
  }

  it("is one JWKS fetch for the first request of a tenant", async () => {
    const ada = await newAdministrator(address);
    expect(await costOf(ada, { body: sampleSettings })).toMatchObject({ status: 200, fetches: 1 });
  });

  it("is one KV get and one put for a warm save, and one put of history", async () => {
    const ada = await warmAdministrator();
    expect(await costOf(ada, { body: sampleSettings })).toEqual({
      status: 200,
      operations: ["get smtp", "put smtp", "put history"],
      fetches: 0,
    });
  });

  it("is not a second KV get for a warm save that keeps the password and names the version", async () => {
    const ada = await warmAdministrator();
    const headers = { "If-Match": (await ada.send()).headers.get("ETag") ?? "" };
    const body = { ...sampleSettings, password: "**********" };
    expect(await costOf(ada, { body, headers })).toEqual({
      status: 200,
      operations: ["get smtp", "put smtp", "put history"],
      fetches: 0,
    });
  });

  it("is one KV get for a save that may not keep the password", async () => {
    const ada = await warmAdministrator();
    const body = { ...sampleSettings, host: "smtp.example.net", password: "**********" };
    expect(await costOf(ada, { body })).toEqual({ status: 400, operations: ["get smtp"], fetches: 0 });
  });

  it("is one KV get for a warm read", async () => {
    const ada = await warmAdministrator();
    expect(await costOf(ada, {})).toEqual({ status: 200, operations: ["get smtp"], fetches: 0 });
  });

  it("is one KV delete for a warm delete, and one put of history", async () => {
    const ada = await warmAdministrator();
    expect(await costOf(ada, { method: "DELETE" })).toEqual({
      status: 200,
      operations: ["delete smtp", "put history"],
      fetches: 0,
    });
  });

  it.each([
    ["fields that are not valid", 400, { body: {} }],
    ["a token that is not valid", 401, { token: "x.y.z" }],
    ["a wrong method", 405, { method: "PUT" }],
  ])("is nothing for %s", async (_, status, changes: Call) => {
    const ada = await warmAdministrator();
    expect(await costOf(ada, changes)).toEqual({ status, operations: [], fetches: 0 });
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
