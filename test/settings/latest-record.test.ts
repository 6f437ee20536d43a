import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { families } from "../support/families.ts";
import { saved } from "../support/responses.ts";
import { sampleSettings } from "../support/samples.ts";
import { staleKv } from "../support/stale-kv.ts";

const [{ address }] = families;

describe("a precondition, while KV shows what was stored before", () => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
    return restoreClock;
  });

  const save = async () => (await ada.send({ body: sampleSettings, env: {} })).headers.get("ETag") ?? "";

  /** Saves, or deletes without a body, where KV shows an earlier value. */
  async function change(cached: string | null, headers: Record<string, string>, body?: object) {
    const SMTP_SETTINGS = staleKv(ada.tenant, cached);
    const method = body === undefined ? "DELETE" : "POST";
    return (await ada.send({ method, body, headers, env: { SMTP_SETTINGS } })).status;
  }

  it("does not overwrite settings that KV does not show yet", async () => {
    await save();
    const before = await ada.sealed();
    expect(await change(null, { "If-None-Match": "*" }, sampleSettings)).toBe(412);
    expect(await ada.sealed()).toBe(before);
  });

  it("allows a save with If-None-Match: * after a delete that KV does not show yet", async () => {
    await save();
    const before = await ada.sealed();
    expect((await ada.send({ method: "DELETE", env: {} })).status).toBe(200);
    expect(await change(before, { "If-None-Match": "*" }, sampleSettings)).toBe(200);
  });

  it("rejects a version that was just replaced, and accepts the one that replaced it", async () => {
    const previous = await save();
    const cached = await ada.sealed();
    const current = await save();
    expect(await change(cached, { "If-Match": previous }, sampleSettings)).toBe(412);
    expect(await change(cached, { "If-Match": previous })).toBe(412);
    expect(await change(cached, { "If-Match": current }, sampleSettings)).toBe(200);
  });

  it("keeps the password of the version that it names, not that in KV", async () => {
    await ada.send({ body: { ...sampleSettings, password: "previous" }, env: {} });
    const cached = await ada.sealed();
    const current = await save();
    const masked = { ...sampleSettings, password: "**********" };
    expect(await change(cached, { "If-Match": current }, masked)).toBe(200);
    expect((await ada.opened()).settings.password).toBe(sampleSettings.password);
  });

  it("prefers a later save that KV shows to an earlier one that the outbox was told of", async () => {
    const earlier = await save();
    advanceClock(1_000);
    const OUTBOX = {
      getByName: () => {
        throw new Error("lost");
      },
    } as unknown as Env["OUTBOX"];
    const later = (await ada.send({ body: sampleSettings, env: { OUTBOX } })).headers.get("ETag") ?? "";
    const headers = (etag: string) => ({ headers: { "If-Match": etag }, env: {} });
    expect(await ada.save(sampleSettings, headers(earlier))).toMatchObject({ httpStatus: 412 });
    expect(await ada.save(sampleSettings, headers(later))).toEqual(saved);
  });

  it("relies on KV once the last change is two minutes old", async () => {
    await save();
    advanceClock(2 * 60_000);
    expect(await change(null, { "If-None-Match": "*" }, sampleSettings)).toBe(200);
  });

  it("changes nothing if the outbox is unavailable", async () => {
    await save();
    const before = await ada.sealed();
    const recentSettings = () => Promise.reject({ retryable: true });
    const OUTBOX = { getByName: () => ({ recentSettings }) } as unknown as Env["OUTBOX"];
    const options = { headers: { "If-None-Match": '"x"' }, env: { OUTBOX } };
    expect(await ada.save(sampleSettings, options)).toMatchObject({
      httpStatus: 503,
      body: { message: expect.stringMatching(/^The outbox is unavailable\./) },
    });
    expect(await ada.sealed()).toBe(before);
  });
});

describe.each(families)("a save without preconditions ($family)", ({ address }) => {
  it("does not ask the outbox", async () => {
    const ada = await newAdministrator(address);
    const calls: PropertyKey[] = [];
    const OUTBOX = new Proxy(env.OUTBOX, {
      get: (namespace, name) => (id: string) =>
        new Proxy(Reflect.get(namespace, name).call(namespace, id), {
          get: (stub, method) => {
            calls.push(method);
            return Reflect.get(stub, method);
          },
        }),
    });
    expect(await ada.save(sampleSettings, { env: { OUTBOX } })).toEqual(saved);
    expect(calls).toEqual(["settingsChanged"]);
  });
});
