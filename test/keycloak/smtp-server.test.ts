import { describe, expect, it } from "vitest";
import { differences, keycloakProblems, toSmtpServer } from "../../src/keycloak/smtp-server.ts";
import { type Settings, settingsSchema } from "../../src/settings/schema.ts";

const mandatory = { host: "smtp.example.com", from: "sender@example.com" };
const token = {
  authType: "token" as const,
  authTokenUrl: "https://login.example.com/token",
  authTokenScope: "smtp",
  authTokenClientId: "mail",
  authTokenClientSecret: "s3cret",
};

function settings(changes: object = {}, tokenFields: Partial<Settings> = {}): Settings {
  return { ...settingsSchema.parse({ ...mandatory, ...changes }), ...tokenFields };
}

describe("toSmtpServer", () => {
  it("sends every field as text", () => {
    const all = {
      fromDisplayName: "From",
      replyTo: "reply@example.com",
      replyToDisplayName: "Reply",
      envelopeFrom: "bounce@example.com",
      user: "ada",
      password: "s3cret",
      starttls: true,
      allowutf8: true,
      debug: false,
      connectionTimeout: 1,
      timeout: 2,
      writeTimeout: 3,
    };
    expect(toSmtpServer(settings(all), {})).toEqual({
      host: "smtp.example.com",
      port: "587",
      from: "sender@example.com",
      fromDisplayName: "From",
      replyTo: "reply@example.com",
      replyToDisplayName: "Reply",
      envelopeFrom: "bounce@example.com",
      ssl: "false",
      starttls: "true",
      auth: "true",
      authType: "basic",
      user: "ada",
      password: "s3cret",
      allowutf8: "true",
      debug: "false",
      connectionTimeout: "1",
      timeout: "2",
      writeTimeout: "3",
    });
  });

  it.each([
    [{}, { port: "587", ssl: "false", starttls: "true" }],
    [{ port: 2525 }, { port: "2525", ssl: "false", starttls: "true" }],
    [{ starttls: true }, { port: "587", ssl: "false", starttls: "true" }],
    [{ ssl: true }, { port: "465", ssl: "true", starttls: "false" }],
    [
      { ssl: true, starttls: true, port: 587 },
      { port: "587", ssl: "true", starttls: "false" },
    ],
    [{ port: 465 }, { port: "465", ssl: "true", starttls: "false" }],
    [
      { port: 465, starttls: true },
      { port: "465", ssl: "false", starttls: "true" },
    ],
  ])("encrypts as this Worker does: %j", (sent, expected) => {
    expect(toSmtpServer(settings(sent), {})).toMatchObject(expected);
  });

  it.each([
    ["neither user nor password", {}],
    ["auth is false", { auth: false, user: "ada", password: "s3cret" }],
    ["a user has no password", { user: "ada" }],
    ["auth is true without a user", { auth: true }],
  ])("turns authentication off, and sends no credentials, if %s", (_, sent) => {
    const smtpServer = toSmtpServer(settings(sent), { auth: "true", user: "old", password: "**********" });
    expect(smtpServer).toMatchObject({ auth: "false" });
    expect(Object.keys(smtpServer)).toEqual(expect.not.arrayContaining(["user", "password", "authType"]));
  });

  it("turns authentication on if auth is absent, as Keycloak would not", () => {
    const smtpServer = toSmtpServer(settings({ user: "ada", password: "s3cret" }), {});
    expect(smtpServer).toMatchObject({ auth: "true", authType: "basic", password: "s3cret" });
  });

  it("sends the fields of authType token, and no password", () => {
    const smtpServer = toSmtpServer(settings({ user: "ada" }, token), {});
    expect(smtpServer).toMatchObject({ auth: "true", user: "ada", ...token });
    expect(smtpServer).not.toHaveProperty("password");
  });

  it.each([
    [undefined, "true", "true"],
    [false, "true", "false"],
    [undefined, undefined, undefined],
  ])("keeps allowutf8 of the realm unless it is sent: %s over %s", (sent, current, expected) => {
    const smtpServer = toSmtpServer(settings({ allowutf8: sent }), { allowutf8: current, debug: "true" });
    expect(smtpServer.allowutf8).toBe(expected);
    expect(smtpServer.debug).toBeUndefined();
  });
});

describe("keycloakProblems", () => {
  it("accepts what Keycloak supports", () => {
    expect(keycloakProblems(settings({ user: "ada", password: "$" + "{vault}" }))).toEqual([]);
    const grant = { ...token, authTokenGrantType: "client_credentials" as const };
    expect(keycloakProblems(settings({ user: "ada" }, grant))).toEqual([]);
  });

  it("rejects a private key and other grants by field", () => {
    const fields = {
      authTokenPrivateKey: "-",
      authTokenGrantType: "urn:ietf:params:oauth:grant-type:jwt-bearer" as const,
    };
    expect(keycloakProblems(settings({ user: "ada" }, { ...token, ...fields }))).toEqual([
      {
        field: "authTokenPrivateKey",
        message: "must be absent, as Keycloak supports client secrets only: send authTokenClientSecret",
      },
      { field: "authTokenGrantType", message: "must be client_credentials, as Keycloak supports no other" },
    ]);
  });

  it.each([
    ["password", { password: "$" + "{vault.smtp}", user: "ada" }, {}],
    ["user", { user: "$" + "{vault.x}", password: "s3cret" }, {}],
    ["authTokenClientSecret", { user: "ada" }, { ...token, authTokenClientSecret: "$" + "{vault.x}" }],
  ])("rejects a reference to Keycloak's vault in %s", (field, sent, fields) => {
    expect(keycloakProblems(settings(sent, fields))).toEqual([
      { field, message: "must not refer to Keycloak's vault: send the value" },
    ]);
  });
});

describe("differences", () => {
  it("names members with another value, added ones and missing ones, but no secrets", () => {
    const sent = { host: "a", port: "1", from: "x", password: "s", authTokenClientSecret: "t" };
    const read = { host: "b", port: "1", user: "y", password: "**********", authTokenClientSecret: "*" };
    expect(differences(sent, read)).toEqual(["from", "host", "user"]);
  });
});
