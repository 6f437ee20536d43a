import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator, seen } from "../support/administrator.ts";
import { nothingStored, saved, settingsRead } from "../support/answers.ts";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { sampleSettings } from "../support/samples.ts";

describe.each(families)("reading, $family", ({ address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  it("gives back the sample request, with the password masked and what was empty left out", async () => {
    await ada.save(sampleSettings);
    const { envelopeFrom: _, ...present } = sampleSettings;
    expect(await ada.read()).toEqual(
      settingsRead({ ...present, starttls: true, ssl: false, password: "**********" }),
    );
  });

  it("shows no mask where no password is stored", async () => {
    await ada.save({ ...sampleSettings, password: "" });
    expect((await ada.read()).body).not.toHaveProperty("settings.password");
  });

  it("says when the settings were saved", async () => {
    const before = new Date().toISOString();
    await ada.save(sampleSettings);
    const after = new Date().toISOString();
    const { updatedAt } = (await ada.read()).body as { updatedAt: string };
    expect([before, updatedAt, after].toSorted()).toEqual([before, updatedAt, after]);
  });

  it("says who saved the settings", async () => {
    const token = await ada.realm.token({ preferred_username: "grace" });
    await ada.save(sampleSettings, { token });
    expect((await ada.read()).body).toMatchObject({ updatedBy: "grace" });
  });

  it("answers 404 where nothing is stored", async () => {
    expect(await ada.read()).toEqual(nothingStored);
  });

  it("changes nothing in the store", async () => {
    await ada.save(sampleSettings);
    const before = await ada.sealed();
    await ada.read();
    expect(await ada.sealed()).toBe(before);
  });

  it("gives what can be sent back as it is, and keeps the password", async () => {
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

  it("warns of what is seldom meant", async () => {
    await ada.save({ host: "smtp.example.net", from: "a@example.com", port: 465, user: "ada" });
    expect((await ada.read()).body).toMatchObject({
      warnings: ["Port 465 is for implicit TLS: set ssl to true.", "A user is set without a password."],
    });
  });

  it("answers HEAD with the status and without a body", async () => {
    await ada.save(sampleSettings);
    const response = await ada.send({ method: "HEAD" });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });

  it("never shows another tenant's settings", async () => {
    await ada.save(sampleSettings);
    const eve = await newAdministrator(address);
    expect(await eve.read()).toEqual(nothingStored);
  });
});

describe("reading by the other family's address", () => {
  it.each([
    [families[0], families[1]],
    [families[1], families[0]],
  ])("gives what was saved by $family", async (saving, reading) => {
    const ada = await newAdministrator(saving.address);
    await ada.save(sampleSettings);
    const response = await call(reading.address(ada.tenant), { token: ada.token });
    expect(await seen(response)).toEqual(await ada.read());
    expect(response.status).toBe(200);
  });
});
