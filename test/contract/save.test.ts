import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { invalidField, mandatoryMissing, saved, settingsRead } from "../support/answers.ts";
import { families } from "../support/families.ts";
import { sampleSettings } from "../support/samples.ts";

const mandatory = { host: "smtp.example.net", from: "sender@example.com" };
const withPassword = { ...mandatory, starttls: true, user: "ada", password: "s3cret" };

describe.each(families)("saving, $family", ({ address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  /** Saves, and says what reading then gives. */
  async function readAfterSaving(settings: object): Promise<unknown> {
    expect(await ada.save(settings)).toEqual(saved);
    return (await ada.read()).body;
  }

  /** Saves what has to be refused, and makes sure that nothing stored has changed. */
  async function refusalOf(settings: unknown): Promise<unknown> {
    const before = await ada.sealed();
    const refusal = await ada.save(settings);
    expect(await ada.sealed()).toBe(before);
    return refusal;
  }

  it("answers the sample request to the letter", async () => {
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

  it("replaces the whole configuration", async () => {
    await ada.save(sampleSettings);
    expect(await readAfterSaving({ ...mandatory, ssl: true })).toMatchObject({
      settings: { ...mandatory, port: "465", starttls: false, ssl: true },
    });
    expect((await ada.opened()).settings).toEqual({ ...mandatory, port: 465, starttls: false, ssl: true });
  });

  it("is content with host and from", async () => {
    await ada.save(mandatory);
    expect(await ada.read()).toEqual(
      settingsRead({ ...mandatory, port: "587", starttls: false, ssl: false }, [
        "Neither ssl nor starttls is set: mail goes unencrypted where the server does not offer STARTTLS.",
      ]),
    );
  });

  describe.each(["starttls", "ssl", "auth"])("the flag %s", (flag) => {
    it.each([true, "true", "TRUE", "tRuE", " true "])("is set by %j", async (word) => {
      expect(await readAfterSaving({ ...mandatory, [flag]: word })).toMatchObject({
        settings: { [flag]: true },
      });
    });

    it.each([false, "false", "FALSE", "fAlSe"])("is cleared by %j", async (word) => {
      expect(await readAfterSaving({ ...mandatory, [flag]: word })).toMatchObject({
        settings: { [flag]: false },
      });
    });

    it.each(["yes", "1", 1, 0, [], {}])("is refused as %j", async (word) => {
      const message = 'must be true, false, "true" or "false"';
      expect(await refusalOf({ ...mandatory, [flag]: word })).toEqual(invalidField(flag, message));
    });
  });

  it.each([
    [{ port: 2525 }, "2525"],
    [{ port: "2525" }, "2525"],
    [{ port: " 2525 " }, "2525"],
    [{}, "587"],
    [{ starttls: true }, "587"],
    [{ ssl: "true" }, "465"],
    [{ ssl: true, starttls: true }, "465"],
    [{ port: "", ssl: true }, "465"],
    [{ port: null }, "587"],
  ])("takes the port of %j to be %s", async (settings, port) => {
    expect(await readAfterSaving({ ...mandatory, ...settings })).toMatchObject({ settings: { port } });
  });

  it.each([25, "25"])("refuses port %j, with the ports to use", async (port) => {
    const message = "must not be 25, which Cloudflare blocks: use 587 or 465";
    expect(await refusalOf({ ...mandatory, port })).toEqual(invalidField("port", message));
  });

  it.each([null, "", "   "])("counts %j as absent", async (nothing) => {
    const { host, from, password, ...others } = sampleSettings;
    const absent = Object.fromEntries(Object.keys(others).map((name) => [name, nothing]));
    await ada.save({ ...mandatory, ...absent, auth: nothing });
    expect((await ada.opened()).settings).toEqual({ ...mandatory, port: 587, starttls: false, ssl: false });
  });

  it.each([null, ""])("counts a password of %j as absent", async (password) => {
    await ada.save({ ...mandatory, user: "ada", password });
    expect((await ada.opened()).settings).not.toHaveProperty("password");
  });

  it("trims every string but the password", async () => {
    const padded = Object.fromEntries(
      Object.entries(withPassword).map(([name, value]) => [name, ` ${value}\t`]),
    );
    await ada.save(padded);
    expect((await ada.opened()).settings).toEqual({
      ...withPassword,
      port: 587,
      ssl: false,
      password: " s3cret\t",
    });
  });

  it.each(["hots", "Host", "__proto__", "constructor", ""])(
    "refuses the unknown field %j by name",
    async (name) => {
      const body = `{"host": "smtp.example.net", "from": "sender@example.com", ${JSON.stringify(name)}: "x"}`;
      const before = await ada.sealed();
      const response = await ada.send({ body });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        status: "BAD_REQUEST",
        message: expect.stringMatching(
          new RegExp(`^${name} is not a known field; these are: host, port, .*\\.$`),
        ),
        errors: [{ field: name, message: expect.stringContaining("is not a known field") }],
      });
      expect(await ada.sealed()).toBe(before);
    },
  );

  it.each([
    [{ from: mandatory.from }],
    [{ host: mandatory.host }],
    [{ ...mandatory, host: "" }],
    [{ ...mandatory, from: null }],
    [{ ...mandatory, from: " \t" }],
    [{ host: mandatory.host, port: "25", unknown: 1, password: "**********", ssl: "perhaps" }],
    [{ from: "not an address" }],
    [{}],
    [[]],
    [[mandatory]],
    ["smtp.example.net"],
    [""],
    [587],
    [true],
    [null],
  ])("says that host and from are mandatory, whatever else is wrong with %j", async (body) => {
    expect(await refusalOf(body)).toEqual(mandatoryMissing);
  });

  it("names every field that is not valid", async () => {
    const refusal = await refusalOf({ host: "a b", from: "nobody", port: "0", user: "ada" });
    const fields = ["from", "host", "port"];
    expect(refusal).toMatchObject({ httpStatus: 400, body: { status: "BAD_REQUEST", subSystem: 8 } });
    const { message, errors } = (refusal as { body: { message: string; errors: { field: string }[] } }).body;
    expect(errors.map(({ field }) => field).toSorted()).toEqual(fields);
    expect(message).toMatch(/^These fields are not valid: [a-z, ]+\.$/);
    expect(message.match(/host|port|from|user/g)?.toSorted()).toEqual(fields);
  });

  it("refuses a password without a user", async () => {
    expect(await refusalOf({ ...mandatory, password: "s3cret" })).toEqual(
      invalidField("user", "must accompany password"),
    );
  });

  it.each(["127.0.0.1", "0x7f.1", "[::1]", "localhost", "10.1.2.3", "smtp.internal", "mailhost"])(
    "refuses the private host %s",
    async (host) => {
      const message = "must be a public host: loopback, private and other special addresses are not dialled";
      expect(await refusalOf({ ...mandatory, host })).toEqual(invalidField("host", message));
    },
  );

  it("takes a private host where ALLOW_PRIVATE_HOSTS lifts the guard", async () => {
    const changes = { env: { ...env, ALLOW_PRIVATE_HOSTS: "true" } };
    expect(await ada.save({ ...mandatory, host: "127.0.0.1" }, changes)).toEqual(saved);
    expect((await ada.opened()).settings.host).toBe("127.0.0.1");
  });

  describe("with the mask in place of the password", () => {
    const masked = { ...withPassword, password: "**********" };

    it("keeps the stored password while its destination is unchanged", async () => {
      await ada.save(withPassword);
      const others = { from: "other@example.com", replyTo: "reply@example.com", fromDisplayName: "Other" };
      expect(await ada.save({ ...masked, ...others })).toEqual(saved);
      expect((await ada.opened()).settings).toEqual({ ...withPassword, ...others, port: 587, ssl: false });
    });

    it("keeps it where the same destination is spelled in another way", async () => {
      await ada.save(withPassword);
      const respelled = { host: "SMTP.Example.NET.", port: 587, starttls: "TRUE", user: " ada " };
      expect(await ada.save({ ...masked, ...respelled })).toEqual(saved);
      expect((await ada.opened()).settings.password).toBe("s3cret");
    });

    it.each([
      ["host", { host: "smtp.attacker.example" }],
      ["port", { port: 2525 }],
      ["user", { user: "eve" }],
      ["TLS mode", { starttls: false }],
      ["TLS mode", { ssl: true, port: 587 }],
      ["host, port, TLS mode", { host: "smtp.attacker.example", ssl: true }],
    ])("refuses to keep it towards another %s", async (changed, changes) => {
      await ada.save(withPassword);
      const message = `must be sent again, as it belongs to another ${changed}`;
      expect(await refusalOf({ ...masked, ...changes })).toEqual(invalidField("password", message));
    });

    it("refuses it where nothing is stored", async () => {
      const message = "is not stored, so it cannot be kept: send it";
      expect(await refusalOf(masked)).toEqual(invalidField("password", message));
    });

    it("refuses it where settings are stored without a password", async () => {
      await ada.save({ ...mandatory, starttls: true, user: "ada" });
      const message = "is not stored, so it cannot be kept: send it";
      expect(await refusalOf(masked)).toEqual(invalidField("password", message));
    });

    it("has no longer a password to keep after saving without one", async () => {
      await ada.save(withPassword);
      await ada.save({ ...withPassword, password: "" });
      expect(await refusalOf(masked)).toMatchObject({ httpStatus: 400 });
    });
  });
});
