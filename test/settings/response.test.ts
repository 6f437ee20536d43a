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
      host: "smtp.example.net",
      port: "587",
      from: "a@example.com",
      fromDisplayName: "A",
      replyTo: "b@example.com",
      replyToDisplayName: "B",
      envelopeFrom: "c@example.com",
      starttls: true,
      ssl: false,
      auth: true,
      user: "ada",
      password: "**********",
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

  it.each([
    ["a no-break space", "\u00a0"],
    ["a narrow no-break space", "\u202f"],
    ["a zero-width space", "\u200b"],
    ["a byte order mark", "\ufeff"],
    ["a soft hyphen", "\u00ad"],
    ["a bidirectional mark", "\u200e"],
    ["a Hangul filler", "\u3164"],
    ["a tab", "\t"],
    ["a line separator", "\u2028"],
  ])("warns about %s within the password, without quoting it", (_, character) => {
    expect(warningsFor(settingsOf({ ...secure, password: `s3c${character}ret` }))).toEqual([
      "password contains no-break spaces or invisible characters: type it instead of copying it.",
    ]);
  });

  it("warns about them within the user", () => {
    expect(warningsFor(settingsOf({ ...secure, user: "a\u00a0b" }))).toEqual([
      "user contains no-break spaces or invisible characters: type it instead of copying it.",
    ]);
  });

  it.each([" s3cret", "s3cret ", "s3cret  "])(
    "warns about white space at the ends of the password %j",
    (password) => {
      expect(warningsFor(settingsOf({ ...secure, password }))).toEqual([
        "password begins or ends with white space.",
      ]);
    },
  );

  it.each(["correct horse", "pässwörd", "пароль", "密码", "p\u{1f600}"])(
    "accepts the password %s",
    (password) => {
      expect(warningsFor(settingsOf({ ...secure, password }))).toEqual([]);
    },
  );

  it.each([
    ["password", { password: vault("smtp") }],
    ["user", { user: vault("user") }],
    ["fromDisplayName", { fromDisplayName: `x ${vault("name")}` }],
  ])("warns about a reference to Keycloak's vault in %s", (field, sent) => {
    expect(warningsFor(settingsOf({ ...secure, ...sent }))).toEqual([
      `${field} refers to Keycloak's vault, which nothing resolves here: set the value itself.`,
    ]);
  });

  const microsoft =
    /^Microsoft 365 has .* end of December 2026.* Set authType to token, or have an administrator enable/;
  const outlook = /^Personal accounts of Outlook\.com have accepted no passwords since September 2024\./;

  it.each([
    ["smtp.office365.com", microsoft],
    ["smtp-legacy.office365.com", microsoft],
    ["outlook.office365.com", microsoft],
    ["smtp-mail.outlook.com", outlook],
    ["smtp.live.com", outlook],
  ])("warns about a password for %s", (host, warning) => {
    expect(warningsFor(settingsOf({ ...secure, host }))).toEqual([expect.stringMatching(warning)]);
  });

  it.each([
    ["a host of somebody else", { ...secure, host: "smtp.notoffice365.com" }],
    [
      "an MX host, which takes no password",
      { starttls: true, host: "a-example.mail.protection.outlook.com" },
    ],
    ["no user", { starttls: true, host: "smtp.office365.com" }],
    [
      "an access token",
      {
        starttls: true,
        host: "smtp.office365.com",
        user: "ada@example.com",
        authType: "token",
        authTokenUrl: "https://login.example.net/token",
        authTokenClientId: "a",
        authTokenClientSecret: "b",
      },
    ],
  ])("does not warn about it for %s", (_, sent) => {
    expect(warningsFor(settingsOf(sent))).toEqual([]);
  });

  it("reports every warning that applies", () => {
    expect(warningsFor(settingsOf({ user: "ada", auth: false }))).toHaveLength(3);
  });
});

/** A reference to the vault of a realm. */
function vault(key: string): string {
  return `\${vault.${key}}`;
}

function settingsOf(sent: object = {}): Settings {
  return settingsSchema.parse({ host: "smtp.example.net", from: "a@example.com", ...sent });
}
