import { describe, expect, it } from "vitest";
import { type Settings, settingsSchema } from "../../src/settings/schema.ts";
import { viewOf, warningsOf } from "../../src/settings/view.ts";

/** Settings as the schema makes them of a request. */
function settings(sent: object = {}): Settings {
  return settingsSchema.parse({ host: "smtp.example.net", from: "a@example.com", ...sent });
}

const secure = { starttls: true, user: "ada", password: "s3cret" };

describe("viewOf", () => {
  it("masks the password", () => {
    expect(viewOf(settings(secure))).toMatchObject({ password: "**********" });
  });

  it("has a mask of one length, whatever the password's is", () => {
    const { password: short } = viewOf(settings({ ...secure, password: "x" })) as { password?: string };
    expect(short).toBe("**********");
    expect(viewOf(settings({ ...secure, password: "x".repeat(1000) }))).toMatchObject({ password: short });
  });

  it("has no mask where there is no password", () => {
    expect(viewOf(settings())).not.toHaveProperty("password");
  });

  it("gives the port as a string and the TLS flags as booleans", () => {
    expect(viewOf(settings({ port: 2525, ssl: "true" }))).toMatchObject({
      port: "2525",
      ssl: true,
      starttls: false,
    });
  });

  it("has every field by its name in the request", () => {
    const sent = {
      ...{ host: "smtp.example.net", port: "587", from: "a@example.com", fromDisplayName: "A" },
      ...{ replyTo: "b@example.com", replyToDisplayName: "B", envelopeFrom: "c@example.com" },
      ...{ starttls: true, ssl: false, auth: true, user: "ada", password: "**********" },
    };
    expect(viewOf(settings({ ...sent, password: "s3cret" }))).toEqual(sent);
  });
});

describe("warningsOf", () => {
  it.each([
    [secure],
    [{ ssl: true }],
    [{ starttls: true, auth: true, user: "ada", password: "s3cret" }],
    [{ starttls: true, auth: false }],
    [{ ssl: true, port: 2525 }],
  ])("says nothing of %j", (sent) => {
    expect(warningsOf(settings(sent))).toEqual([]);
  });

  it.each([
    [{ port: 465, ...secure }, "Port 465 is for implicit TLS: set ssl to true."],
    [{ port: 465 }, "Port 465 is for implicit TLS: set ssl to true."],
    [{ port: 587, ssl: true }, "Port 587 is for STARTTLS: set starttls to true and ssl to false."],
    [{ starttls: true, ssl: true }, "Both ssl and starttls are set: ssl wins."],
    [{}, "Neither ssl nor starttls is set: mail goes unencrypted where the server does not offer STARTTLS."],
    [{ starttls: true, user: "ada" }, "A user is set without a password."],
    [{ ...secure, auth: false }, "auth is false: user and password are not used."],
    [{ starttls: true, auth: true }, "auth is true, but no user is set."],
  ])("of %j says: %s", (sent, warning) => {
    expect(warningsOf(settings(sent))).toEqual([warning]);
  });

  it("says everything that there is to say", () => {
    expect(warningsOf(settings({ user: "ada", auth: false }))).toHaveLength(3);
  });
});
