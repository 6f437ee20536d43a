import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { newSettingsKeys, rotatedSettingsKeys } from "../../scripts/lib/settings-keys.ts";
import { loadConfig } from "../../src/config.ts";

const NOW = new Date("2026-11-20T12:00:00.000Z");

const kidsOf = async (SETTINGS_KEYS: string) =>
  (await loadConfig({ ...env, SETTINGS_KEYS })).settingsKeys.map(({ kid }) => kid);

describe("new settings keys", () => {
  it("are a value that the Worker takes, with one key named by its day", async () => {
    expect(await kidsOf(newSettingsKeys(NOW))).toEqual([expect.stringMatching(/^2026-11-20-[\da-f]{8}$/)]);
  });

  it("are others each time", () => {
    expect(newSettingsKeys(NOW)).not.toBe(newSettingsKeys(NOW));
  });
});

describe("rotated settings keys", () => {
  it("have a fresh key first, and the present ones after it, untouched", async () => {
    const present = await rotatedSettingsKeys(newSettingsKeys(NOW), NOW);
    const rotated = await rotatedSettingsKeys(present, NOW);
    const [fresh, ...others] = (JSON.parse(rotated) as { keys: object[] }).keys;
    expect(others).toEqual((JSON.parse(present) as { keys: object[] }).keys);
    expect(others).not.toContainEqual(fresh);
    expect(new Set(await kidsOf(rotated)).size).toBe(3);
  });

  it("can be made from the line of a file of secrets", async () => {
    const present = newSettingsKeys(NOW);
    const rotated = await rotatedSettingsKeys(`SETTINGS_KEYS='${present}'\n`, NOW);
    expect((await kidsOf(rotated)).slice(1)).toEqual(await kidsOf(present));
  });

  it.each([
    "",
    "null",
    "{}",
    '{"keys":[]}',
    '{"keys":[{"kty":"oct","kid":"a","k":"c2hvcnQ"}]}',
    "secret-text",
  ])(
    "are refused for a value that the Worker would not take either, without quoting it: %j",
    async (present) => {
      const error: unknown = await rotatedSettingsKeys(present, NOW).catch((thrown) => thrown);
      expect(error).toMatchObject({ refusal: { kind: "misconfigured" } });
      expect(JSON.stringify(error)).not.toMatch(/secret-text|c2hvcnQ/);
    },
  );
});
