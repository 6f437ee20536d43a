import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import type { CallOptions } from "../support/client.ts";
import { families } from "../support/families.ts";
import { captureLogEntry } from "../support/log.ts";
import { sampleSettings } from "../support/samples.ts";

const PASSWORD = "correct-horse-battery-staple";
const settings = { ...sampleSettings, password: PASSWORD };

describe.each(families)("a saved password ($family)", ({ address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
    await ada.save(settings);
  });

  /** Sends a request, asserts that neither response nor log has the password, and returns the response. */
  async function sendWithoutLeak(options: CallOptions): Promise<{ status: number; text: string }> {
    const { response, line } = await captureLogEntry(() => ada.send({ env: {}, ...options }));
    const text = await response.text();
    expect(text).toContain('"subSystem":8');
    expect([text, ...[...response.headers].flat()].join("\n")).not.toContain(PASSWORD);
    expect(line).not.toContain(PASSWORD);
    return { status: response.status, text };
  }

  it("is in the sealed record", async () => {
    expect((await ada.opened()).settings.password).toBe(PASSWORD);
  });

  it("is nowhere else in KV", async () => {
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

  it("is sealed differently by each save", async () => {
    const first = await ada.sealed();
    await ada.save(settings);
    expect((await ada.sealed())?.split(".").slice(1)).not.toEqual(first?.split(".").slice(1));
    expect((await ada.opened()).settings.password).toBe(PASSWORD);
  });

  it.each<[string, number, object | string]>([
    ["a save", 200, settings],
    ["a save that keeps it", 200, { ...settings, password: "**********" }],
    ["a save that must not keep it", 400, { ...settings, password: "**********", host: "smtp.example.net" }],
    ["another invalid field", 400, { ...settings, port: "25" }],
    ["a missing mandatory field", 400, { ...settings, host: "" }],
    ["a long password", 400, { ...settings, password: PASSWORD.repeat(40) }],
    ["a password with a line break", 400, { ...settings, password: `${PASSWORD}\n` }],
    ["a password in the wrong field", 400, { ...settings, port: PASSWORD, ssl: PASSWORD, from: PASSWORD }],
    ["a password in an unknown field", 400, { ...settings, pasword: PASSWORD }],
    ["a body that is not JSON", 400, `${JSON.stringify(settings)},`],
  ])("is absent from response and log of %s", async (_, status, body) => {
    expect(await sendWithoutLeak({ body })).toMatchObject({ status });
  });

  it("is absent from response and log of a read", async () => {
    const { status, text } = await sendWithoutLeak({});
    expect(status).toBe(200);
    expect(text).toContain('"password":"**********"');
  });

  it("is absent from response and log if the store fails", async () => {
    const SMTP_SETTINGS = new Proxy(env.SMTP_SETTINGS, {
      get: () => () => Promise.reject(new Error("KV PUT failed: 500 Internal Server Error")),
    });
    expect(await sendWithoutLeak({ body: settings, env: { SMTP_SETTINGS } })).toMatchObject({ status: 503 });
  });
});
