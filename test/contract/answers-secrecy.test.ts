import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { families } from "../support/families.ts";
import { sampleSettings } from "../support/samples.ts";

const PASSWORD = "correct-horse-battery-staple";
const settings = { ...sampleSettings, password: PASSWORD };

const LOG_METHODS = ["debug", "error", "info", "log", "trace", "warn"] as const;

describe.each(families)("a saved password, $family", ({ address }) => {
  let ada: Administrator;
  let logged: string[];

  beforeEach(async () => {
    ada = await newAdministrator(address);
    logged = [];
    for (const method of LOG_METHODS) {
      vi.spyOn(console, method).mockImplementation(
        (...words) => void logged.push(words.map(String).join(" ")),
      );
    }
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("lies in the sealed record, and comes out with the settings key", async () => {
    await ada.save(settings);
    expect((await ada.opened()).settings.password).toBe(PASSWORD);
  });

  it("is nowhere else in KV", async () => {
    await ada.save(settings);
    const { keys } = await env.SMTP_SETTINGS.list({ prefix: `smtp:${ada.tenant}` });
    expect(keys).toEqual([
      {
        name: `smtp:${ada.tenant}`,
        metadata: { kid: "test-1", updatedAt: expect.stringMatching(/^\d{4}-/) },
      },
    ]);
    const parts = (await ada.sealed())?.split(".") ?? [];
    expect(parts).toHaveLength(5);
    const decoded = parts.map((part) => atob(part.replaceAll("-", "+").replaceAll("_", "/"))).join();
    for (const secret of [PASSWORD, btoa(PASSWORD), sampleSettings.host, sampleSettings.user]) {
      expect(parts.join() + decoded).not.toContain(secret);
    }
  });

  it("is sealed anew each time", async () => {
    await ada.save(settings);
    const first = await ada.sealed();
    await ada.save(settings);
    expect((await ada.sealed())?.split(".").slice(1)).not.toEqual(first?.split(".").slice(1));
    expect((await ada.opened()).settings.password).toBe(PASSWORD);
  });

  const requests: [string, object | string][] = [
    ["a save", settings],
    ["a save that keeps it", { ...settings, password: "**********" }],
    ["a save that may not keep it", { ...settings, password: "**********", host: "smtp.example.net" }],
    ["another field that is not valid", { ...settings, port: "25" }],
    ["a mandatory field that is missing", { ...settings, host: "" }],
    ["a password that is too long", { ...settings, password: PASSWORD.repeat(40) }],
    ["a password with a line break", { ...settings, password: `${PASSWORD}\n` }],
    ["a password in the wrong field", { ...settings, port: PASSWORD, ssl: PASSWORD, from: PASSWORD }],
    ["a password in an unknown field", { ...settings, pasword: PASSWORD }],
    ["a body that is not JSON", `${JSON.stringify(settings)},`],
  ];

  it.each(requests)("appears in no answer and no log of %s", async (_, body) => {
    await ada.save(settings, { env: {} });
    const response = await ada.send({ body, env: {} });
    const told = [await response.text(), ...[...response.headers].flat()].join("\n");
    expect(told).toContain('"subSystem":8');
    expect(told).not.toContain(PASSWORD);
    expect(logged).toHaveLength(2);
    expect(logged.join("\n")).not.toContain(PASSWORD);
  });

  it("appears in no answer and no log of a read", async () => {
    await ada.save(settings, { env: {} });
    const response = await ada.send({ env: {} });
    const told = await response.text();
    expect(told).toContain('"password":"**********"');
    expect(told).not.toContain(PASSWORD);
    expect(logged).toHaveLength(2);
    expect(logged.join("\n")).not.toContain(PASSWORD);
  });

  it("appears in no answer and no log of a store that fails", async () => {
    const failing = new Proxy(env.SMTP_SETTINGS, {
      get: () => () => Promise.reject(new Error("KV PUT failed: 500 Internal Server Error")),
    });
    const response = await ada.send({ body: settings, env: { SMTP_SETTINGS: failing } });
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain(PASSWORD);
    expect(logged).toHaveLength(1);
    expect(logged.join("\n")).not.toContain(PASSWORD);
  });
});
