import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { nothingStored, readJson, saved, settingsResponse } from "../support/responses.ts";
import { sampleSettings } from "../support/samples.ts";

describe.each(families)("reading settings ($family)", ({ address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  it("returns the saved fields, with the password masked and without empty fields", async () => {
    await ada.save(sampleSettings);
    const { envelopeFrom: _, ...present } = sampleSettings;
    expect(await ada.read()).toEqual(
      settingsResponse({ ...present, starttls: true, ssl: false, password: "**********" }),
    );
  });

  it("returns no mask if no password is stored", async () => {
    await ada.save({ ...sampleSettings, password: "" });
    const response = await ada.read();
    expect(response).toMatchObject({ httpStatus: 200, body: { settings: { host: sampleSettings.host } } });
    expect(response.body).not.toHaveProperty("settings.password");
  });

  it("returns the time of the save", async () => {
    const before = new Date().toISOString();
    await ada.save(sampleSettings);
    const after = new Date().toISOString();
    const { updatedAt } = (await ada.read()).body as { updatedAt: string };
    expect([before, updatedAt, after].toSorted()).toEqual([before, updatedAt, after]);
  });

  it("returns who saved the settings", async () => {
    const token = await ada.realm.token({ preferred_username: "grace" });
    await ada.save(sampleSettings, { token });
    expect((await ada.read()).body).toMatchObject({ updatedBy: "grace" });
  });

  it("responds 404 if nothing is stored", async () => {
    expect(await ada.read()).toEqual(nothingStored);
  });

  it("leaves the stored record unchanged", async () => {
    await ada.save(sampleSettings);
    const before = await ada.sealed();
    expect(await ada.read()).toMatchObject({ httpStatus: 200 });
    expect(before).not.toBeNull();
    expect(await ada.sealed()).toBe(before);
  });

  it("returns a valid body for a save, which keeps the password", async () => {
    await ada.save(sampleSettings);
    const first = await ada.read();
    const { settings } = first.body as { settings: object };
    expect(await ada.save(settings)).toEqual(saved);
    expect(await ada.read()).toEqual({
      ...first,
      body: { ...Object(first.body), updatedAt: expect.any(String) },
    });
    expect((await ada.opened()).settings.password).toBe("app-password");
  });

  it("warns about probably unintended settings", async () => {
    await ada.save({ host: "smtp.example.net", from: "a@example.com", port: 465, user: "ada" });
    expect((await ada.read()).body).toMatchObject({
      warnings: ["Port 465 is for implicit TLS: set ssl to true.", "A user is set without a password."],
    });
  });

  it("responds to HEAD without a body", async () => {
    await ada.save(sampleSettings);
    const response = await ada.send({ method: "HEAD" });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });

  it("returns nothing of another tenant", async () => {
    await ada.save(sampleSettings);
    const eve = await newAdministrator(address);
    expect(await eve.read()).toEqual(nothingStored);
  });
});

describe("reading at the other family's address", () => {
  it.each([
    [families[0], families[1]],
    [families[1], families[0]],
  ])("returns settings saved through $family", async (saving, reading) => {
    const ada = await newAdministrator(saving.address);
    await ada.save(sampleSettings);
    const response = await call(reading.address(ada.tenant), { token: ada.token });
    expect(response.status).toBe(200);
    expect(await readJson(response)).toEqual(await ada.read());
  });
});
