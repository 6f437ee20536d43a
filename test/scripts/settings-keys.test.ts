import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { newSettingsKeys, rotatedSettingsKeys } from "../../scripts/lib/settings-keys.ts";
import { loadConfig } from "../../src/config.ts";

const NOW = new Date("2026-11-20T12:00:00.000Z");

async function kidsOf(SETTINGS_KEYS: string): Promise<string[]> {
  return (await loadConfig({ ...env, SETTINGS_KEYS })).settingsKeys.map(({ kid }) => kid);
}

describe("newSettingsKeys", () => {
  it("creates a valid SETTINGS_KEYS with one key, named after the day", async () => {
    expect(await kidsOf(newSettingsKeys(NOW))).toEqual([expect.stringMatching(/^2026-11-20-[\da-f]{8}$/)]);
  });

  it("creates another key each time", () => {
    expect(newSettingsKeys(NOW)).not.toBe(newSettingsKeys(NOW));
  });
});

describe("rotatedSettingsKeys", () => {
  it("adds a new key in front, and keeps the others unchanged", async () => {
    const present = await rotatedSettingsKeys(newSettingsKeys(NOW), NOW);
    const rotated = await rotatedSettingsKeys(present, NOW);
    const [added, ...others] = (JSON.parse(rotated) as { keys: object[] }).keys;
    expect(others).toEqual((JSON.parse(present) as { keys: object[] }).keys);
    expect(others).not.toContainEqual(added);
    expect(new Set(await kidsOf(rotated)).size).toBe(3);
  });

  it("accepts the line of a secrets file", async () => {
    const present = newSettingsKeys(NOW);
    const rotated = await rotatedSettingsKeys(`SETTINGS_KEYS='${present}'\n`, NOW);
    expect((await kidsOf(rotated)).slice(1)).toEqual(await kidsOf(present));
  });

  it.each([
    "",
    "null",
    "{}",
    '{"keys":[]}',
    "secret-text",
    '{"keys":[{"kty":"oct","kid":"a","k":"c2hvcnQ"}]}',
  ])("rejects keys that the Worker rejects, without quoting them: %j", async (present) => {
    const error: unknown = await rotatedSettingsKeys(present, NOW).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "ConfigError" });
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toMatch(/secret-text|c2hvcnQ/);
  });
});
