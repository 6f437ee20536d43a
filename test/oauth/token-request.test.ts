import { base64url, exportJWK, generateKeyPair } from "jose";
import { describe, expect, it } from "vitest";
import { requestToken, type TokenSettings } from "../../src/oauth/token-request.ts";
import { MAILBOX, newOAuthClient, type OAuthClient } from "../support/oauth/clients.ts";
import { JWT_BEARER_URL, TOKEN_URL } from "../support/oauth/control.ts";
import { issuesToken, newTokenEndpoint, respondsWith } from "../support/oauth/endpoints.ts";

const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

const policy = { allowPrivateHosts: false, hostname: "mail.example.org" };

function settingsFor(client: OAuthClient, changes: Partial<TokenSettings> = {}): TokenSettings {
  const { clientId, credential, certificate = "" } = client;
  const isSecret = "authTokenClientSecret" in client.settings;
  return {
    url: TOKEN_URL,
    grantType: "client_credentials",
    clientId,
    scope: "smtp",
    credential: isSecret ? { clientSecret: credential } : { privateKey: `${credential}${certificate}` },
    subject: MAILBOX,
    ...changes,
  };
}

const issued = {
  ok: true,
  token: expect.stringMatching(/^[\w-]{43}$/),
  expiresAt: expect.any(Number),
  cached: false,
};

const inBody = { ...issued, method: "client_secret_post" };
const byBasic = { ...issued, method: "client_secret_basic" };

/** A token request by client secret, as the OAuth server logs it. */
function logged(client: OAuthClient, form: "in the body" | "by Basic", outcome: object) {
  const byForm =
    form === "by Basic"
      ? { parameters: ["grant_type", "scope"], basic: true }
      : { parameters: ["client_id", "client_secret", "grant_type", "scope"] };
  return { clientId: client.clientId, grantType: "client_credentials", scope: "smtp", ...byForm, ...outcome };
}

describe.concurrent("A token request to a real OAuth server", () => {
  it("sends the client secret by HTTP Basic if the server refuses it in the body", async () => {
    const client = await newOAuthClient({ method: "client_secret_basic" });
    expect(await requestToken(settingsFor(client), policy)).toEqual(byBasic);
    expect(await client.log()).toEqual([
      logged(client, "in the body", { status: 401, error: "invalid_client" }),
      logged(client, "by Basic", { status: 200 }),
    ]);
  });

  it.each([
    ["client_secret_basic", byBasic, ["by Basic"]],
    ["client_secret_post", inBody, ["by Basic", "in the body"]],
  ] as const)(
    "begins with HTTP Basic if told so, at a server that takes %s",
    async (method, result, forms) => {
      const client = await newOAuthClient({ method });
      const settings = settingsFor(client, { method: "client_secret_basic" });
      expect(await requestToken(settings, policy)).toEqual(result);
      const refusal = { status: 401, error: "invalid_client" };
      expect(await client.log()).toEqual(
        forms.map((form, index) =>
          logged(client, form, index === forms.length - 1 ? { status: 200 } : refusal),
        ),
      );
    },
  );

  it("is sent twice at most, and reports the first refusal", async () => {
    const client = await newOAuthClient({ method: "client_secret_basic" });
    const settings = settingsFor(client, { credential: { clientSecret: "wrong" } });
    const error = "invalid_client";
    expect(await requestToken(settings, policy)).toMatchObject({
      ok: false,
      failure: { status: 401, error },
    });
    expect(await client.log()).toHaveLength(2);
  });

  it("authenticates by client secret, in the body", async () => {
    const client = await newOAuthClient();
    expect(await requestToken(settingsFor(client), policy)).toEqual(inBody);
    expect(await client.log()).toEqual([
      {
        clientId: client.clientId,
        grantType: "client_credentials",
        scope: "smtp",
        parameters: ["client_id", "client_secret", "grant_type", "scope"],
        status: 200,
      },
    ]);
  });

  it.each(["RS256", "ES256"] as const)("authenticates by private_key_jwt with %s", async (alg) => {
    const client = await newOAuthClient({ credential: "key", alg });
    expect(await requestToken(settingsFor(client), policy)).toEqual(issued);
    const seconds = expect.any(Number);
    expect(await client.log()).toEqual([
      {
        clientId: client.clientId,
        grantType: "client_credentials",
        scope: "smtp",
        parameters: ["client_assertion", "client_assertion_type", "client_id", "grant_type", "scope"],
        header: { alg, typ: "JWT" },
        claims: {
          iss: client.clientId,
          sub: client.clientId,
          aud: TOKEN_URL,
          jti: expect.any(String),
          iat: seconds,
          nbf: seconds,
          exp: seconds,
        },
        status: 200,
      },
    ]);
  });

  it("names the certificate of its key by both thumbprints", async () => {
    const client = await newOAuthClient({ credential: "certificate" });
    expect(await requestToken(settingsFor(client), policy)).toEqual(issued);
    const der = Buffer.from((client.certificate ?? "").replace(/-----.*-----/g, ""), "base64");
    const thumbprint = async (algorithm: string) =>
      base64url.encode(new Uint8Array(await crypto.subtle.digest(algorithm, der)));
    expect((await client.log())[0]?.header).toEqual({
      alg: "RS256",
      typ: "JWT",
      x5t: await thumbprint("SHA-1"),
      "x5t#S256": await thumbprint("SHA-256"),
    });
  });

  it("sends an assertion for the user in the JWT bearer grant, and no other credential", async () => {
    const client = await newOAuthClient({ credential: "key", alg: "RS256" });
    const settings = settingsFor(client, { url: JWT_BEARER_URL, grantType: JWT_BEARER });
    expect(await requestToken(settings, policy)).toEqual(issued);
    const seconds = expect.any(Number);
    const log = await client.log();
    expect(log).toEqual([
      {
        clientId: client.clientId,
        grantType: JWT_BEARER,
        scope: "smtp",
        parameters: ["assertion", "grant_type", "scope"],
        header: { alg: "RS256", typ: "JWT" },
        claims: {
          iss: client.clientId,
          sub: MAILBOX,
          aud: JWT_BEARER_URL,
          scope: "smtp",
          jti: expect.any(String),
          iat: seconds,
          exp: seconds,
        },
        status: 200,
      },
    ]);
    expect(Number(log[0]?.claims?.exp) - Number(log[0]?.claims?.iat)).toBe(60);
  });

  it("reports when the token expires", async () => {
    const client = await newOAuthClient({ expiresInSeconds: 600 });
    const before = Date.now();
    const result = await requestToken(settingsFor(client), policy);
    const expiresAt = result.ok ? result.expiresAt : 0;
    expect(expiresAt).toBeGreaterThanOrEqual(before + 600_000);
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 600_000);
  });

  it.each([
    ["a wrong secret", { credential: { clientSecret: "wrong" } }, "invalid_client", 401],
    ["an unknown client", { clientId: "unknown" }, "invalid_client", 401],
  ])("reports the error of %s", async (_, changes, error, status) => {
    const client = await newOAuthClient();
    expect(await requestToken(settingsFor(client, changes), policy)).toMatchObject({
      ok: false,
      failure: { kind: "rejected", status, error },
    });
  });

  it("reports the error of a revoked client", async () => {
    const client = await newOAuthClient();
    expect(await requestToken(settingsFor(client), policy)).toEqual(inBody);
    await client.revoke();
    expect(await requestToken(settingsFor(client), policy)).toEqual({
      ok: false,
      failure: {
        kind: "rejected",
        status: 401,
        error: "invalid_client",
        description: "client authentication failed",
      },
    });
  });

  it("reports the error of a user that the client may not act for", async () => {
    const client = await newOAuthClient({ credential: "key" });
    const changes = { url: JWT_BEARER_URL, grantType: JWT_BEARER, subject: "other@example.com" } as const;
    expect(await requestToken(settingsFor(client, changes), policy)).toEqual({
      ok: false,
      failure: {
        kind: "rejected",
        status: 401,
        error: "unauthorized_client",
        description: expect.stringContaining("Client is unauthorized"),
      },
    });
  });

  it("reports the error of another client's key", async () => {
    const [client, other] = [
      await newOAuthClient({ credential: "key" }),
      await newOAuthClient({ credential: "key" }),
    ];
    const credential = { privateKey: other.credential };
    const changes = { url: JWT_BEARER_URL, grantType: JWT_BEARER, credential } as const;
    expect(await requestToken(settingsFor(client, changes), policy)).toMatchObject({
      ok: false,
      failure: { kind: "rejected", status: 400, error: "invalid_grant" },
    });
  });
});

describe.concurrent("A token request", () => {
  it("names the key of a JWK by kid, x5t and x5t#S256", async () => {
    const { privateKey } = await generateKeyPair("ES256", { extractable: true });
    const header = { kid: "key-1", x5t: "thumbprint-1", "x5t#S256": "thumbprint-256" };
    const privateJwk = JSON.stringify({ ...(await exportJWK(privateKey)), ...header });
    const endpoint = await newTokenEndpoint(issuesToken());
    const client = await newOAuthClient();
    const settings = settingsFor(client, { url: endpoint.url, credential: { privateKey: privateJwk } });
    expect(await requestToken(settings, policy)).toMatchObject({ ok: true });
    const body = (await endpoint.requests())[0]?.body;
    const [encoded = ""] = new URLSearchParams(body).get("client_assertion")?.split(".") ?? [];
    expect(JSON.parse(new TextDecoder().decode(base64url.decode(encoded)))).toEqual({
      alg: "ES256",
      typ: "JWT",
      ...header,
    });
  });

  it("sends a form by POST, asks for JSON, and names itself", async () => {
    const endpoint = await newTokenEndpoint(issuesToken());
    await requestToken(settingsFor(await newOAuthClient(), { url: endpoint.url }), policy);
    expect(await endpoint.requests()).toMatchObject([
      {
        method: "POST",
        headers: {
          accept: "application/json",
          "user-agent": "tenant-mail",
          "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
        },
      },
    ]);
  });

  it("is not repeated by HTTP Basic after any other refusal, nor with a key", async () => {
    const client = await newOAuthClient();
    const key = await newOAuthClient({ credential: "key" });
    for (const [from, error, status] of [
      [client, "invalid_request", 400],
      [client, "unauthorized_client", 400],
      [client, "invalid_client", 503],
      [key, "invalid_client", 401],
    ] as const) {
      const endpoint = await newTokenEndpoint(respondsWith({ error }, status));
      await requestToken(settingsFor(from, { url: endpoint.url }), policy);
      expect(await endpoint.requests()).toHaveLength(1);
    }
  });

  it.each([
    ["the refusal in the body", { error: "invalid_client", error_description: "no" }, 401, "invalid_client"],
    ["the refusal in the body", "<html>", 400, "invalid_client"],
    ["the refusal in the body", {}, 503, "invalid_client"],
    ["what is wrong besides the client", { error: "invalid_scope" }, 400, "invalid_scope"],
  ])("reports %s if HTTP Basic gets %j", async (_, body, status, error) => {
    const fetch = async (_url: string, { headers }: RequestInit) =>
      new Headers(headers).has("Authorization")
        ? Response.json(body, { status })
        : Response.json({ error: "invalid_client" }, { status: 401 });
    const result = await requestToken(settingsFor(await newOAuthClient()), { ...policy, fetch });
    const reported = error === "invalid_client" ? 401 : status;
    expect(result).toEqual({ ok: false, failure: { kind: "rejected", status: reported, error } });
  });

  it("encodes id and secret as in a form, before base64 (RFC 6749 section 2.3.1)", async () => {
    const endpoint = await newTokenEndpoint(respondsWith({ error: "invalid_client" }, 401));
    const credential = { clientSecret: "s3cret: +/ö" };
    const settings = settingsFor(await newOAuthClient(), { url: endpoint.url, clientId: "a:b", credential });
    await requestToken(settings, policy);
    const [, second] = await endpoint.requests();
    expect(second?.headers.authorization).toBe(`Basic ${btoa("a%3Ab:s3cret%3A+%2B%2F%C3%B6")}`);
    expect([...new URLSearchParams(second?.body).keys()].sort()).toEqual(["grant_type", "scope"]);
  });

  it("asks for no scope if the settings name none", async () => {
    const endpoint = await newTokenEndpoint(issuesToken());
    const settings = settingsFor(await newOAuthClient(), { url: endpoint.url, scope: undefined });
    await requestToken(settings, policy);
    const form = new URLSearchParams((await endpoint.requests())[0]?.body);
    expect([...form.keys()].sort()).toEqual(["client_id", "client_secret", "grant_type"]);
  });

  it("throws for a stored key that is not valid any more, and sends nothing", async () => {
    const endpoint = await newTokenEndpoint(issuesToken());
    const settings = settingsFor(await newOAuthClient(), {
      url: endpoint.url,
      credential: { privateKey: "{}" },
    });
    await expect(requestToken(settings, policy)).rejects.toThrow("the stored private key is not valid");
    expect(await endpoint.requests()).toEqual([]);
  });
});
