import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { deleted, invalidField, nothingStored, saved } from "../support/answers.ts";
import { families } from "../support/families.ts";
import { sampleSettings } from "../support/samples.ts";

describe.each(families)("deleting, $family", ({ address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  it("removes what is stored", async () => {
    await ada.save(sampleSettings);
    expect(await ada.delete()).toEqual(deleted);
    expect(await ada.sealed()).toBeNull();
    expect(await ada.read()).toEqual(nothingStored);
  });

  it("succeeds where nothing is stored, and again after deleting", async () => {
    expect(await ada.delete()).toEqual(deleted);
    expect(await ada.delete()).toEqual(deleted);
    expect(await ada.sealed()).toBeNull();
  });

  it("leaves no password to be kept", async () => {
    await ada.save(sampleSettings);
    await ada.delete();
    const message = "is not stored, so it cannot be kept: send it";
    expect(await ada.save({ ...sampleSettings, password: "**********" })).toEqual(
      invalidField("password", message),
    );
    expect(await ada.sealed()).toBeNull();
  });

  it("lets settings be saved anew", async () => {
    await ada.save(sampleSettings);
    await ada.delete();
    expect(await ada.save(sampleSettings)).toEqual(saved);
    expect((await ada.opened()).settings.password).toBe("app-password");
  });

  it("leaves other tenants' settings alone", async () => {
    const grace = await newAdministrator(address);
    await grace.save(sampleSettings);
    const before = await grace.sealed();
    await ada.delete();
    expect(before).not.toBeNull();
    expect(await grace.sealed()).toBe(before);
  });

  it("removes nothing for a caller without a token", async () => {
    await ada.save(sampleSettings);
    const before = await ada.sealed();
    const response = await ada.send({ method: "DELETE", headers: { Authorization: "" } });
    expect(response.status).toBe(401);
    expect(await ada.sealed()).toBe(before);
  });
});
