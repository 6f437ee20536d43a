import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { families } from "../support/families.ts";
import { readHistory } from "../support/history.ts";
import { deleted, jsonResponse, nothingStored, readJson, saved } from "../support/responses.ts";
import { sampleSettings } from "../support/samples.ts";

const otherSettings = { ...sampleSettings, from: "other@example.com" };

const alreadyStored = jsonResponse(
  412,
  "PRECONDITION_FAILED",
  "If-None-Match excludes the settings that are stored. Read them, and save with If-Match.",
);

// test/http/etag.test.ts holds the tables of header values.
describe.each(families)("If-None-Match ($family)", ({ address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  const save = async () => (await ada.send({ body: sampleSettings, env: {} })).headers.get("ETag") ?? "";
  const saveWith = (headers: Record<string, string>) => ada.save(otherSettings, { headers, env: {} });
  const deleteWith = async (headers: Record<string, string>) =>
    readJson(await ada.send({ method: "DELETE", headers, env: {} }));

  describe("on a save or delete", () => {
    it("allows a save with * if nothing is stored", async () => {
      expect(await saveWith({ "If-None-Match": "*" })).toEqual(saved);
    });

    it("allows a save with * after a delete", async () => {
      await save();
      await deleteWith({});
      expect(await saveWith({ "If-None-Match": "*" })).toEqual(saved);
    });

    it("rejects * if settings are stored, and changes nothing", async () => {
      await save();
      const before = await ada.sealed();
      expect(await saveWith({ "If-None-Match": "*" })).toEqual(alreadyStored);
      expect(await deleteWith({ "If-None-Match": "*" })).toEqual(alreadyStored);
      expect(await ada.sealed()).toBe(before);
      expect((await readHistory(ada)).entries.map(({ action }) => action)).toEqual(["saved"]);
    });

    it("rejects a list with the stored version, and allows one without it", async () => {
      const etag = await save();
      expect(await saveWith({ "If-None-Match": `"x", W/${etag}` })).toEqual(alreadyStored);
      expect(await saveWith({ "If-None-Match": '"x", "y"' })).toEqual(saved);
      expect(await deleteWith({ "If-None-Match": '"x"' })).toEqual(deleted);
    });

    it("is evaluated after If-Match", async () => {
      const etag = await save();
      expect(await saveWith({ "If-Match": etag, "If-None-Match": "*" })).toEqual(alreadyStored);
      expect(await saveWith({ "If-Match": '"x"', "If-None-Match": "*" })).toMatchObject({
        httpStatus: 412,
        body: { message: expect.stringContaining("that If-Match names") },
      });
      expect(await saveWith({ "If-Match": etag, "If-None-Match": '"x"' })).toEqual(saved);
    });
  });

  describe("on a read", () => {
    it("gets a 304 without a body for the current version, with the headers of the read", async () => {
      const etag = await save();
      const read = await ada.send();
      for (const method of ["GET", "HEAD"]) {
        const response = await ada.send({ method, headers: { "If-None-Match": `"x", W/${etag}` } });
        expect(response.status).toBe(304);
        expect(await response.text()).toBe("");
        expect(headersOf(response)).toEqual({ ...headersOf(read), "content-type": undefined });
      }
    });

    it("gets the settings if they have changed", async () => {
      const previous = await save();
      await save();
      expect((await ada.send({ headers: { "If-None-Match": previous } })).status).toBe(200);
    });

    it("gets a 404 if nothing is stored, whatever it says", async () => {
      expect(await readJson(await ada.send({ headers: { "If-None-Match": "*" } }))).toEqual(nothingStored);
    });
  });
});

/** The headers of a response, apart from what differs between any two. */
function headersOf({ headers }: Response) {
  const { "x-request-id": id, "content-length": _, ...others } = Object.fromEntries(headers);
  expect(id).toMatch(/^[\da-f-]{36}$/);
  return others;
}
