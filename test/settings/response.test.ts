import { describe, expect, it } from "vitest";
import { toResponse, warningsFor } from "../../src/settings/response.ts";
import { type Settings, settingsSchema } from "../../src/settings/schema.ts";

const secure = { starttls: true, user: "ada", password: "s3cret" };

describe("toResponse", () => {
  it.each(["x", "s3cret", "x".repeat(1000)])("masks a password, whatever its length", (password) => {
    expect(toResponse(settingsOf({ ...secure, password }))).toMatchObject({ password: "**********" });
  });

  it("returns no mask if there is no password", () => {
    expect(toResponse(settingsOf())).not.toHaveProperty("password");
  });

  it("returns the port as a string and the TLS flags as booleans", () => {
    expect(toResponse(settingsOf({ port: 2525, ssl: "true" }))).toMatchObject({
      port: "2525",
      ssl: true,
      starttls: false,
    });
  });

  it("returns every field by its name in the request", () => {
    const sent = {
      ...{ host: "smtp.example.net", port: "587", from: "a@example.com", fromDisplayName: "A" },
      ...{ replyTo: "b@example.com", replyToDisplayName: "B", envelopeFrom: "c@example.com" },
      ...{ starttls: true, ssl: false, auth: true, user: "ada", password: "**********" },
    };
    expect(toResponse(settingsOf({ ...sent, password: "s3cret" }))).toEqual(sent);
  });
});

describe("warningsFor", () => {
  it.each([
    [secure],
    [{ ssl: true }],
    [{ starttls: true, auth: true, user: "ada", password: "s3cret" }],
    [{ starttls: true, auth: false }],
    [{ ssl: true, port: 2525 }],
  ])("is empty for %j", (sent) => {
    expect(warningsFor(settingsOf(sent))).toEqual([]);
  });

  it.each([
    [{ port: 465, ...secure }, "Port 465 is for implicit TLS: set ssl to true."],
    [{ port: 465 }, "Port 465 is for implicit TLS: set ssl to true."],
    [{ port: 587, ssl: true }, "Port 587 is for STARTTLS: set starttls to true and ssl to false."],
    [{ starttls: true, ssl: true }, "Both ssl and starttls are set: ssl wins."],
    [{}, "Neither ssl nor starttls is set: mail goes unencrypted if the server does not offer STARTTLS."],
    [{ starttls: true, user: "ada" }, "A user is set without a password."],
    [{ ...secure, auth: false }, "auth is false: user and password are not used."],
    [{ starttls: true, auth: true }, "auth is true, but no user is set."],
  ])("warns about %j: %s", (sent, warning) => {
    expect(warningsFor(settingsOf(sent))).toEqual([warning]);
  });

  it("reports every warning that applies", () => {
    expect(warningsFor(settingsOf({ user: "ada", auth: false }))).toHaveLength(3);
  });
});

function settingsOf(sent: object = {}): Settings {
  return settingsSchema.parse({ host: "smtp.example.net", from: "a@example.com", ...sent });
}
