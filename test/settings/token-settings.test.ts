import { describe, expect, it } from "vitest";
import { policyProblem } from "../../src/settings/policy.ts";
import type { Settings } from "../../src/settings/schema.ts";
import { tokenSettingsOf } from "../../src/settings/token-settings.ts";
import { newOAuthClient } from "../support/oauth/clients.ts";

const publicOnly = { allowPrivateHosts: false, hostname: "mail.example.org" };

const settings: Settings = {
  host: "smtp.example.net",
  port: 587,
  from: "sender@example.com",
  starttls: true,
  ssl: false,
  authType: "token",
  user: "ada@example.com",
  authTokenUrl: "https://login.example.net/token",
  authTokenClientId: "client-1",
  authTokenScope: "smtp",
  authTokenClientSecret: "s3cret",
};

describe("tokenSettingsOf", () => {
  it("uses client credentials by default", () => {
    expect(tokenSettingsOf(settings)).toEqual({
      url: "https://login.example.net/token",
      grantType: "client_credentials",
      clientId: "client-1",
      scope: "smtp",
      credential: { clientSecret: "s3cret" },
      subject: "ada@example.com",
    });
  });

  it("names the user as subject, and the private key", () => {
    const grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    const changes = { authTokenClientSecret: undefined, authTokenPrivateKey: "a key" };
    expect(tokenSettingsOf({ ...settings, ...changes, authTokenGrantType: grantType })).toMatchObject({
      grantType,
      credential: { privateKey: "a key" },
      subject: "ada@example.com",
    });
  });

  it.each<[string, Partial<Settings>]>([
    ["authType is absent", { authType: undefined }],
    ["authType is basic", { authType: "basic" }],
    ["auth is false", { auth: false }],
    ["there is no user", { user: undefined }],
    ["there is no authTokenUrl", { authTokenUrl: undefined }],
    ["there is no authTokenClientId", { authTokenClientId: undefined }],
    ["there is no credential", { authTokenClientSecret: undefined }],
  ])("asks for no token if %s", (_, changes) => {
    expect(tokenSettingsOf({ ...settings, ...changes })).toBeUndefined();
  });
});

describe("policyProblem", () => {
  it("accepts a public endpoint", async () => {
    expect(await policyProblem(settings, publicOnly)).toBeUndefined();
  });

  it.each(["token", "basic"] as const)("rejects a private endpoint, with authType %s", async (authType) => {
    const changes = { authType, authTokenUrl: "https://10.0.0.1/token" };
    expect(await policyProblem({ ...settings, ...changes }, publicOnly)).toEqual({
      field: "authTokenUrl",
      message: "must have a public host that is not one of this service",
    });
  });

  it("accepts a private endpoint for local work", async () => {
    const local = { ...settings, authTokenUrl: "https://localhost/token" };
    expect(
      await policyProblem(local, { allowPrivateHosts: true, hostname: "mail.example.org" }),
    ).toBeUndefined();
  });

  it("accepts a private key", async () => {
    const { credential } = await newOAuthClient({ credential: "key" });
    const withKey = { ...settings, authTokenClientSecret: undefined, authTokenPrivateKey: credential };
    expect(await policyProblem(withKey, publicOnly)).toBeUndefined();
  });

  it("rejects what is no private key", async () => {
    expect(await policyProblem({ ...settings, authTokenPrivateKey: "x" }, publicOnly)).toEqual({
      field: "authTokenPrivateKey",
      message: expect.stringMatching(/^must be an unencrypted private key/),
    });
  });

  it("accepts the mask of a private key", async () => {
    const masked = { ...settings, authTokenClientSecret: undefined, authTokenPrivateKey: "**********" };
    expect(await policyProblem(masked, publicOnly)).toBeUndefined();
  });
});
