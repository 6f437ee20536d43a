import { beforeAll, describe, expect, inject, it } from "vitest";
import { requestToken, type TokenRequestOptions, type TokenResult } from "../../src/oauth/token-request.ts";
import { tokenSettingsOf } from "../../src/settings/token-settings.ts";
import type { Behavior } from "../support/issuer-network.ts";
import {
  newOAuthClient,
  type OAuthClient,
  type TokenMailServer,
  tokenMailServer,
} from "../support/oauth/clients.ts";
import { JWT_BEARER_URL } from "../support/oauth/control.ts";
import { newTokenEndpoint } from "../support/oauth/endpoints.ts";
import { cached, sendByToken, tokenSettings, tokens } from "../support/oauth/token-sessions.ts";

const jwtBearer = {
  authTokenUrl: JWT_BEARER_URL,
  authTokenGrantType: "urn:ietf:params:oauth:grant-type:jwt-bearer",
};

const rejectedToken = {
  stage: "authentication",
  message: "The SMTP server rejected the access token.",
  smtpCode: 535,
  enhancedCode: "5.7.8",
  reply: "Authentication failed.",
};

const rejectedRequest = {
  stage: "token",
  message: "The token endpoint rejected the request for an access token.",
};

/** Requests a token for settings that ask for one. */
async function tokenFor(settings: object, options: Partial<TokenRequestOptions> = {}): Promise<TokenResult> {
  const wanted = tokenSettingsOf(tokenSettings(587, { ...settings }));
  if (wanted === undefined) return expect.fail("the settings ask for no token");
  return requestToken(wanted, { allowPrivateHosts: false, hostname: "mail.example.org", ...options });
}

describe.runIf(inject("dovecotIsInstalled"))("Dovecot with its oauth2 passdb", () => {
  let servers: Record<"XOAUTH2" | "OAUTHBEARER", TokenMailServer>;
  beforeAll(async () => {
    const [XOAUTH2, OAUTHBEARER] = await Promise.all([
      tokenMailServer({ dovecot: ["xoauth2", "oauthbearer"] }),
      tokenMailServer({ dovecot: ["oauthbearer"] }),
    ]);
    servers = { XOAUTH2, OAUTHBEARER };
  });

  /** Sends a mail with a token of a client, by the mechanism that the server prefers. */
  function send(
    mechanism: keyof typeof servers,
    client: OAuthClient,
    changes: object = {},
    options: Partial<TokenRequestOptions> = {},
  ) {
    const settings = { ...client.settings, ...changes };
    return sendByToken(servers[mechanism], () => tokenFor(settings, options), { settings });
  }

  describe.concurrent.each(["XOAUTH2", "OAUTHBEARER"] as const)("and %s", (mechanism) => {
    it.each([
      ["a client secret", {}, {}],
      ["private_key_jwt", { credential: "key" }, {}],
      ["private_key_jwt with a certificate", { credential: "certificate" }, {}],
      ["the JWT bearer grant", { credential: "key", alg: "RS256" }, jwtBearer],
      ["a client secret, of 1,600 characters", { tokenCharacters: 1_600 }, {}],
    ] as const)("accepts a mail with a token by %s", async (_, request, changes) => {
      const client = await newOAuthClient({ ...request, mailbox: `${crypto.randomUUID()}@example.com` });
      const from = client.settings.user;
      expect(await send(mechanism, client, { ...changes, from })).toMatchObject({
        steps: expect.arrayContaining([expect.objectContaining({ stage: "authentication", mechanism })]),
      });
      const messages = (await servers[mechanism].messages()).filter(({ mailFrom }) => mailFrom === from);
      expect(messages).toMatchObject([{ rcptTo: ["reader@example.org"] }]);
      expect(await client.log()).toMatchObject([{ status: 200 }]);
    });

    it.each([
      ["that lacks the scope", { authTokenScope: "other" }],
      ["of another user", { user: "other@example.com" }],
    ])("rejects a token %s", async (_, changes) => {
      const client = await newOAuthClient();
      expect(await send(mechanism, client, changes)).toMatchObject({
        diagnosis: {
          ...rejectedToken,
          challenge:
            mechanism === "XOAUTH2"
              ? '{"status":"401","schemes":"bearer","scope":"mail"}'
              : '{"status":"invalid_token"}',
        },
      });
      expect(await client.log()).toMatchObject([{ status: 200 }]);
    });

    it("rejects an expired token, and accepts the next one over the same connection", async () => {
      const client = await newOAuthClient();
      const { user } = client.settings;
      const expired = await tokenFor(client.settings);
      await client.expireTokens();
      const token = expired.ok ? expired.token : "";
      const once = await sendByToken(servers[mechanism], tokens(token).source, { settings: { user } });
      expect(once).toMatchObject({ diagnosis: rejectedToken });
      const source = async (rejected?: string) =>
        rejected === undefined ? cached(token) : await tokenFor(client.settings);
      const twice = await sendByToken(servers[mechanism], source, { settings: { user } });
      expect(twice).toHaveProperty("steps");
      expect(await client.log()).toHaveLength(2);
    });

    it.each([
      ["a revoked client", {}],
      ["a wrong secret", { authTokenClientSecret: "x" }],
    ])("gets no token of %s", async (what, changes) => {
      const client = await newOAuthClient();
      if (what === "a revoked client") await client.revoke();
      expect(await send(mechanism, client, changes)).toMatchObject({
        diagnosis: {
          ...rejectedRequest,
          oauth: {
            status: 401,
            error: "invalid_client",
            error_description: "client authentication failed",
          },
          hint: expect.stringContaining("The endpoint does not accept the client"),
        },
      });
    });

    it("gets no token for a user that the client may not act for", async () => {
      const client = await newOAuthClient({ credential: "key" });
      expect(await send(mechanism, client, { ...jwtBearer, user: "other@example.com" })).toMatchObject({
        diagnosis: {
          ...rejectedRequest,
          oauth: { status: 401, error: "unauthorized_client" },
          hint: expect.stringContaining("domain-wide delegation"),
        },
      });
    });

    it.each<[string, Behavior, string]>([
      ["is down", { kind: "down" }, "could not be reached, or is not available"],
      ["is ill", { kind: "respond", status: 503, body: "" }, "could not be reached, or is not available"],
      ["responds with a page", { kind: "respond", body: "<html>" }, "did not return an access token"],
      ["responds with 100,000 bytes", { kind: "huge", bytes: 100_000 }, "did not return an access token"],
    ])("gets no token of an endpoint that %s", async (_, behavior, message) => {
      const client = await newOAuthClient();
      const endpoint = await newTokenEndpoint(behavior);
      expect(await send(mechanism, client, { authTokenUrl: endpoint.url })).toMatchObject({
        diagnosis: { stage: "token", message: `The token endpoint ${message}.` },
      });
      expect(await endpoint.requests()).toHaveLength(1);
    });

    it("gets no token of an endpoint that is slow", async () => {
      const client = await newOAuthClient();
      const endpoint = await newTokenEndpoint({ kind: "held", body: "" });
      const changes = { authTokenUrl: endpoint.url };
      expect(await send(mechanism, client, changes, { timeoutMs: 50 })).toMatchObject({
        diagnosis: {
          stage: "token",
          message: "The token endpoint could not be reached, or is not available.",
        },
      });
    });
  });
});
