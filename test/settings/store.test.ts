import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { openRecord } from "../../src/settings/store.ts";
import { SealingError, seal } from "../../src/storage/sealing.ts";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { newIssuer } from "../support/issuer.ts";
import { captureLogEntry } from "../support/log.ts";
import { recordOf } from "../support/records.ts";
import { deleted, internalError, nothingStored, readJson, saved } from "../support/responses.ts";
import { sampleSettings } from "../support/samples.ts";
import { newSettingsKeys } from "../support/settings-keys.ts";

const masked = { ...sampleSettings, password: "**********" };

describe("openRecord", () => {
  it("opens what was sealed", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const record = recordOf("acme");
    const { jwe } = await seal("settings", "acme", record, settingsKeys);
    expect(await openRecord("acme", jwe, settingsKeys)).toEqual(record);
  });

  it("uses updatedAt as the version of a record that has none", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const { version: _, ...record } = recordOf("acme");
    const { jwe } = await seal("settings", "acme", record, settingsKeys);
    expect(await openRecord("acme", jwe, settingsKeys)).toEqual({ ...record, version: record.updatedAt });
  });

  it.each([{ template: "welcome" }, { settings: null }, { settings: "text" }])(
    "rejects sealed claims without settings: %j",
    async (claims) => {
      const { settingsKeys } = await newSettingsKeys("one");
      const { jwe } = await seal("settings", "acme", claims, settingsKeys);
      const opened = openRecord("acme", jwe, settingsKeys);
      await expect(opened).rejects.toEqual(new SealingError("holds no settings", "one"));
    },
  );
});

describe("the stored record", () => {
  it("is one value per tenant, under its own key, that reveals nothing", async () => {
    const ada = await newAdministrator(families[1].address);
    await ada.save(sampleSettings);
    const { keys } = await env.SMTP_SETTINGS.list({ prefix: `smtp:${ada.tenant}` });
    expect(keys.map(({ name }) => name)).toEqual([`smtp:${ada.tenant}`]);
    const visible = `${JSON.stringify(keys)} ${await ada.sealed()}`;
    for (const secret of [sampleSettings.password, sampleSettings.host, sampleSettings.user]) {
      expect(visible).not.toContain(secret);
    }
  });

  it("does not expire", async () => {
    const ada = await administrator();
    await ada.save(sampleSettings);
    const { keys } = await env.SMTP_SETTINGS.list({ prefix: `smtp:${ada.tenant}` });
    expect(keys).toHaveLength(1);
    expect(keys[0]?.expiration).toBeUndefined();
  });

  it("is the same for both address families", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const [ssms, shift] = [families[0].address(tenant), families[1].address(tenant)];
    await call(ssms, { token: await token(), body: sampleSettings });
    const read = await readJson(await call(shift, { token: await token() }));
    expect(read).toMatchObject({ httpStatus: 200, body: { settings: { host: sampleSettings.host } } });
  });

  it("opens with the second settings key, and is sealed with the first by the next save", async () => {
    const ada = await administrator();
    await ada.save(sampleSettings);
    const { jwks } = await newSettingsKeys("new");
    const { keys: old } = JSON.parse(env.SETTINGS_KEYS) as { keys: object[] };
    const rotated = { env: { SETTINGS_KEYS: JSON.stringify({ keys: [...jwks, ...old] }) } };
    expect(await ada.save(masked, rotated)).toEqual(saved);
    const { metadata } = await env.SMTP_SETTINGS.getWithMetadata(`smtp:${ada.tenant}`);
    expect(metadata).toEqual({ kid: "new", updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) });
    expect(await readJson(await ada.send(rotated))).toMatchObject({
      httpStatus: 200,
      body: { settings: { password: "**********" } },
    });
  });
});

describe("a record that cannot be decrypted", () => {
  it("causes a 500 if it was copied from another tenant, and is logged with tenant and kid", async () => {
    const [ada, victim] = [await administrator(), await administrator()];
    await victim.save(sampleSettings);
    const stolen = (await victim.sealed()) ?? "";
    await env.SMTP_SETTINGS.put(`smtp:${ada.tenant}`, stolen);
    const { response, line, entry } = await captureLogEntry(() => ada.send());
    expect(await readJson(response)).toEqual(internalError);
    expect(entry).toMatchObject({ tenant: ada.tenant, error: "record_unreadable", kid: "test-1" });
    expect(line).not.toContain(sampleSettings.password);
    expect(await ada.sealed()).toBe(stolen);
  });

  it.each<[string, string]>([
    ["nothing", ""],
    ["plain JSON", JSON.stringify(sampleSettings)],
    ["text", "not a record"],
    ["half a record", "eyJhbGciOiJBMjU2S1ciLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoidGVzdC0xIn0.AAAA"],
  ])("causes a 500, never a 404, and stays unchanged: %s", async (_, value) => {
    const ada = await administratorWith(value);
    const { response, entry } = await captureLogEntry(() => ada.send());
    expect(await readJson(response)).toEqual(internalError);
    expect(entry).toMatchObject({ tenant: ada.tenant, error: "record_unreadable" });
    expect(await ada.sealed()).toBe(value);
  });

  it("causes a 500 while its key is missing, and opens once the key is back", async () => {
    const ada = await administrator();
    await ada.save(sampleSettings);
    const { text } = await newSettingsKeys("new");
    const { response, entry } = await captureLogEntry(() => ada.send({ env: { SETTINGS_KEYS: text } }));
    expect(await readJson(response)).toEqual(internalError);
    expect(entry).toMatchObject({ error: "record_unreadable", kid: "test-1" });
    expect((await ada.read()).httpStatus).toBe(200);
  });

  it("is not overwritten by a save that keeps its password", async () => {
    const ada = await administratorWith("broken");
    expect(await ada.save(masked)).toEqual(internalError);
    expect(await ada.sealed()).toBe("broken");
  });

  it("is replaced by a save with a password", async () => {
    const ada = await administratorWith("broken");
    expect(await ada.save(sampleSettings)).toEqual(saved);
    expect((await ada.opened()).settings.password).toBe(sampleSettings.password);
  });

  it("can be deleted", async () => {
    const ada = await administratorWith("broken");
    expect(await ada.delete()).toEqual(deleted);
    expect(await ada.sealed()).toBeNull();
    expect(await ada.read()).toEqual(nothingStored);
  });
});

function administrator(): Promise<Administrator> {
  return newAdministrator(families[0].address);
}

async function administratorWith(stored: string): Promise<Administrator> {
  const ada = await administrator();
  await env.SMTP_SETTINGS.put(`smtp:${ada.tenant}`, stored);
  return ada;
}
