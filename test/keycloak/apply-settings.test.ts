import { describe, expect, it } from "vitest";
import type { Realm } from "../../src/keycloak/admin-client.ts";
import { applySettings } from "../../src/keycloak/apply-settings.ts";
import { KeycloakError } from "../../src/keycloak/errors.ts";
import { settingsSchema } from "../../src/settings/schema.ts";

const SETTINGS = settingsSchema.parse({
  host: "smtp.example.com",
  from: "sender@example.com",
  user: "ada",
  password: "s3cret",
});

/** A realm that stores what it is sent, as `store` has it, and masks the password. */
function realmWith(store = (smtpServer: Realm["smtpServer"]) => smtpServer) {
  let realm: Realm = {
    attributes: { plan: "gold" },
    smtpServer: { host: "old" },
    oauth2DeviceCodeLifespan: 777,
  };
  const updates: Realm[] = [];
  const client = {
    readRealm: async () => realm,
    updateRealm: async (update: Realm) => {
      updates.push(update);
      const { password, ...others } = store(update.smtpServer);
      const mask = password === undefined ? {} : { password: "**********" };
      realm = { ...update, smtpServer: { ...others, ...mask } };
    },
  };
  return { client, updates };
}

describe("applySettings", () => {
  it("sends back what an update would reset, and the password itself", async () => {
    const { client, updates } = realmWith();
    await applySettings(client, SETTINGS);
    expect(updates).toEqual([
      {
        attributes: { plan: "gold" },
        oauth2DeviceCodeLifespan: 777,
        smtpServer: {
          host: "smtp.example.com",
          port: "587",
          from: "sender@example.com",
          ssl: "false",
          starttls: "true",
          auth: "true",
          authType: "basic",
          user: "ada",
          password: "s3cret",
        },
      },
    ]);
  });

  it("clears the settings", async () => {
    const { client, updates } = realmWith();
    await applySettings(client, undefined);
    expect(updates).toMatchObject([{ attributes: { plan: "gold" }, smtpServer: {} }]);
  });

  it("sends no update if the realm cannot be read", async () => {
    const { client, updates } = realmWith();
    const forbidden = new KeycloakError("forbidden", "Keycloak withholds the realm's settings");
    const work = applySettings({ ...client, readRealm: () => Promise.reject(forbidden) }, SETTINGS);
    await expect(work).rejects.toBe(forbidden);
    expect(updates).toEqual([]);
  });

  it("fails if Keycloak has other values afterwards", async () => {
    const { client } = realmWith((smtpServer) => ({ ...smtpServer, host: "other", more: "x" }));
    await expect(applySettings(client, SETTINGS)).rejects.toMatchObject({
      outcome: "unknown",
      message: "Keycloak has stored other settings",
    });
  });

  it("does not know the outcome if Keycloak does not show it", async () => {
    const { client, updates } = realmWith();
    const readRealm = () =>
      updates.length === 0
        ? client.readRealm()
        : Promise.reject(new KeycloakError("failed", "Keycloak is unreachable"));
    await expect(applySettings({ ...client, readRealm }, SETTINGS)).rejects.toMatchObject({
      outcome: "unknown",
      message: "Keycloak did not return the settings",
    });
  });
});
