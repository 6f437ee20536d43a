import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { families } from "../support/families.ts";
import { deleted, invalidField, nothingStored, saved } from "../support/responses.ts";
import { sampleSettings } from "../support/samples.ts";

describe.each(families)("deleting settings ($family)", ({ address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  it("removes the stored record", async () => {
    await ada.save(sampleSettings);
    expect(await ada.delete()).toEqual(deleted);
    expect(await ada.sealed()).toBeNull();
    expect(await ada.read()).toEqual(nothingStored);
  });

  it("succeeds if nothing is stored", async () => {
    expect(await ada.delete()).toEqual(deleted);
    expect(await ada.sealed()).toBeNull();
  });

  it("succeeds a second time", async () => {
    await ada.save(sampleSettings);
    expect([await ada.delete(), await ada.delete()]).toEqual([deleted, deleted]);
    expect(await ada.sealed()).toBeNull();
  });

  it("removes the password, so a masked one is rejected", async () => {
    await ada.save(sampleSettings);
    await ada.delete();
    const message = "is not stored, so it cannot be kept: send it";
    expect(await ada.save({ ...sampleSettings, password: "**********" })).toEqual(
      invalidField("password", message),
    );
    expect(await ada.sealed()).toBeNull();
  });

  it("allows a new save", async () => {
    await ada.save(sampleSettings);
    await ada.delete();
    expect(await ada.save(sampleSettings)).toEqual(saved);
    expect((await ada.opened()).settings.password).toBe("app-password");
  });

  it("leaves other tenants' settings unchanged", async () => {
    const grace = await newAdministrator(address);
    await grace.save(sampleSettings);
    const before = await grace.sealed();
    expect(await ada.delete()).toEqual(deleted);
    expect(before).not.toBeNull();
    expect(await grace.sealed()).toBe(before);
  });

  it("removes nothing without a token", async () => {
    await ada.save(sampleSettings);
    const before = await ada.sealed();
    const response = await ada.send({ method: "DELETE", headers: { Authorization: "" } });
    expect(response.status).toBe(401);
    expect(before).not.toBeNull();
    expect(await ada.sealed()).toBe(before);
  });
});
