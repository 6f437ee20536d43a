import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { families } from "../support/families.ts";
import {
  invalidField,
  type JsonResponse,
  mandatoryFieldsMissing,
  saved,
  settingsResponse,
} from "../support/responses.ts";
import { sampleSettings } from "../support/samples.ts";

const mandatory = { host: "smtp.example.net", from: "sender@example.com" };
const withPassword = { ...mandatory, starttls: true, user: "ada", password: "s3cret" };

// test/settings and test/mail hold the tables of valid and invalid values.
describe.each(families)("saving settings ($family)", ({ address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  /** Saves settings that must be rejected, and asserts that the stored ones are unchanged. */
  async function rejectedSave(settings: unknown): Promise<JsonResponse> {
    const before = await ada.sealed();
    const response = await ada.save(settings);
    expect(await ada.sealed()).toBe(before);
    return response;
  }

  it("responds to the sample request exactly as the contract has it", async () => {
    const response = await ada.send({ body: sampleSettings });
    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toMatch(/^application\/json\b/);
    expect(await response.json()).toEqual({
      message: "Successfully updated SMTP Details",
      status: "OK",
      subSystem: 8,
    });
  });

  it("stores every field of the sample request", async () => {
    await ada.save(sampleSettings);
    const { envelopeFrom: _, ...present } = sampleSettings;
    expect(await ada.opened()).toEqual({
      settings: { ...present, port: 587, starttls: true, ssl: false },
      updatedBy: "ada",
      updatedAt: expect.any(String),
      version: expect.stringMatching(/^[\da-f-]{36}$/),
    });
  });

  it("replaces the stored settings", async () => {
    await ada.save(sampleSettings);
    expect(await ada.save({ ...mandatory, ssl: true })).toEqual(saved);
    expect((await ada.opened()).settings).toEqual({ ...mandatory, port: 465, starttls: false, ssl: true });
    expect((await ada.read()).body).toMatchObject({
      settings: { ...mandatory, port: "465", starttls: false, ssl: true },
    });
  });

  it("needs only host and from", async () => {
    expect(await ada.save(mandatory)).toEqual(saved);
    expect(await ada.read()).toEqual(
      settingsResponse({ ...mandatory, port: "587", starttls: false, ssl: false }, [
        "Neither ssl nor starttls is set: mail goes unencrypted if the server does not offer STARTTLS.",
      ]),
    );
  });

  it("converts ports and flags sent as strings", async () => {
    const sent = { ...mandatory, port: " 2525 ", starttls: "TRUE", ssl: "false", auth: "False" };
    expect(await ada.save(sent)).toEqual(saved);
    expect((await ada.opened()).settings).toEqual({
      ...mandatory,
      port: 2525,
      starttls: true,
      ssl: false,
      auth: false,
    });
  });

  it.each([null, "", "   "])("treats optional fields of %j as absent", async (empty) => {
    const { host, from, password, ...others } = sampleSettings;
    const absent = Object.fromEntries(Object.keys(others).map((name) => [name, empty]));
    expect(await ada.save({ ...mandatory, ...absent, auth: empty })).toEqual(saved);
    expect((await ada.opened()).settings).toEqual({ ...mandatory, port: 587, starttls: false, ssl: false });
  });

  it("trims every string except the password", async () => {
    const padded = Object.entries(withPassword).map(([name, value]) => [name, ` ${value}\t`]);
    expect(await ada.save(Object.fromEntries(padded))).toEqual(saved);
    expect((await ada.opened()).settings).toEqual({
      ...withPassword,
      port: 587,
      ssl: false,
      password: " s3cret\t",
    });
  });

  it.each([25, "25"])("rejects port %j, and names the ports to use", async (port) => {
    const message = "must not be 25, which Cloudflare blocks: use 587 or 465";
    expect(await rejectedSave({ ...mandatory, port })).toEqual(invalidField("port", message));
  });

  it.each(["hots", "__proto__"])("rejects the unknown field %s by name", async (name) => {
    const body = `{"host": "smtp.example.net", "from": "sender@example.com", ${JSON.stringify(name)}: "x"}`;
    const response = await ada.send({ body });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      status: "BAD_REQUEST",
      message: expect.stringMatching(
        new RegExp(`^${name} is not a known field; these are: host, port, .*\\.$`),
      ),
      errors: [{ field: name, message: expect.stringContaining("is not a known field") }],
    });
    expect(await ada.sealed()).toBeNull();
  });

  it.each([
    [{ from: mandatory.from }],
    [{ host: mandatory.host, port: "25", unknown: 1, password: "**********", ssl: "perhaps" }],
    [{ from: "not an address" }],
    [[mandatory]],
    [""],
    [null],
  ])("reports a missing host or from before anything else in %j", async (body) => {
    expect(await rejectedSave(body)).toEqual(mandatoryFieldsMissing);
  });

  it("names every invalid field", async () => {
    const response = await rejectedSave({ host: "a b", from: "nobody", port: "0", user: "ada" });
    const fields = ["from", "host", "port"];
    expect(response).toMatchObject({ httpStatus: 400, body: { status: "BAD_REQUEST", subSystem: 8 } });
    const { message, errors } = (response as { body: { message: string; errors: { field: string }[] } }).body;
    expect(errors.map(({ field }) => field).toSorted()).toEqual(fields);
    expect(message).toMatch(/^These fields are not valid: [a-z, ]+\.$/);
    expect(message.match(/host|port|from|user/g)?.toSorted()).toEqual(fields);
  });

  it("rejects a password without a user", async () => {
    expect(await rejectedSave({ ...mandatory, password: "s3cret" })).toEqual(
      invalidField("user", "must accompany password"),
    );
  });

  it.each(["127.0.0.1", "localhost"])("rejects the private host %s", async (host) => {
    const message =
      "must be a public host: loopback, private and other special-purpose addresses are not allowed";
    expect(await rejectedSave({ ...mandatory, host })).toEqual(invalidField("host", message));
  });

  it("accepts a private host if ALLOW_PRIVATE_HOSTS is true", async () => {
    const options = { env: { ...env, ALLOW_PRIVATE_HOSTS: "true" } };
    expect(await ada.save({ ...mandatory, host: "127.0.0.1" }, options)).toEqual(saved);
    expect((await ada.opened()).settings.host).toBe("127.0.0.1");
  });

  describe("with a masked password", () => {
    const masked = { ...withPassword, password: "**********" };

    it("keeps the stored password while its destination is unchanged", async () => {
      await ada.save(withPassword);
      const others = { from: "other@example.com", replyTo: "reply@example.com", fromDisplayName: "Other" };
      expect(await ada.save({ ...masked, ...others })).toEqual(saved);
      expect((await ada.opened()).settings).toEqual({ ...withPassword, ...others, port: 587, ssl: false });
    });

    it("keeps the stored password for another spelling of its destination", async () => {
      await ada.save(withPassword);
      const respelled = { host: "SMTP.Example.NET.", port: 587, starttls: "TRUE", user: " ada " };
      expect(await ada.save({ ...masked, ...respelled })).toEqual(saved);
      expect((await ada.opened()).settings.password).toBe("s3cret");
    });

    it.each([
      ["host", { host: "smtp.attacker.example" }],
      ["TLS mode", { starttls: false }],
      ["host, port, TLS mode", { host: "smtp.attacker.example", ssl: true }],
    ])("rejects another %s", async (changed, changes) => {
      await ada.save(withPassword);
      const message = `must be sent again after a change of ${changed}`;
      expect(await rejectedSave({ ...masked, ...changes })).toEqual(invalidField("password", message));
    });

    it("rejects the mask if nothing is stored", async () => {
      const message = "is not stored, so it cannot be kept: send it";
      expect(await rejectedSave(masked)).toEqual(invalidField("password", message));
    });

    it("rejects the mask after a save without a password", async () => {
      await ada.save(withPassword);
      await ada.save({ ...withPassword, password: "" });
      const message = "is not stored, so it cannot be kept: send it";
      expect(await rejectedSave(masked)).toEqual(invalidField("password", message));
    });
  });
});
