import { describe, expect, it } from "vitest";
import { families } from "../support/families.ts";
import { captureLog } from "../support/log.ts";
import { newOAuthClient, type OAuthClient, tokenMailServer } from "../support/oauth/clients.ts";
import { newTokenEndpoint, respondsWith } from "../support/oauth/endpoints.ts";
import { replies, secured } from "../support/smtp/scripts.ts";
import { scriptedServer } from "../support/smtp/servers.ts";
import { newSmtpTestClient } from "../support/smtp/smtp-test-client.ts";

const MASK = "**********";

/** The secrets of a client: its credential, as it is and as a form or JSON encodes it. */
function secretsOf({ credential }: OAuthClient): string[] {
  const [, body = credential] = credential.split("\n");
  return [body, encodeURIComponent(body), JSON.stringify(body).slice(1, -1)];
}

describe.each(["secret", "key"] as const)("The %s of an OAuth client", (kind) => {
  const field = kind === "secret" ? "authTokenClientSecret" : "authTokenPrivateKey";

  it.each<[string, number, (settings: object) => object]>([
    ["of a test that succeeds", 200, (settings) => settings],
    ["of a token endpoint that rejects it", 502, (settings) => ({ ...settings, authTokenClientId: "x" })],
    ["of a server that rejects its token", 502, (settings) => ({ ...settings, authTokenScope: "other" })],
    ["of a missing field", 400, (settings) => ({ ...settings, authTokenUrl: "" })],
    ["of a secret in the wrong field", 400, (settings) => ({ ...settings, authType: "basic" })],
    ["of the secret in an unknown field", 400, (settings) => ({ ...settings, authTokenSecret: settings })],
  ])("is absent from response and log %s", async (_, status, change) => {
    const [client, oauth, server] = [
      await newSmtpTestClient(families[0]),
      await newOAuthClient({ credential: kind }),
      await tokenMailServer(),
    ];
    const settings = { host: "localhost", port: server.port, from: "sender@example.com", ...oauth.settings };
    const { result, lines } = await captureLog(() => client.test({ settings: change(settings) }));
    expect(result.httpStatus).toBe(status);
    const seen = [JSON.stringify(result.body), ...lines].join("\n");
    for (const secret of secretsOf(oauth)) expect(seen).not.toContain(secret);
    expect(lines).toHaveLength(1);
  });

  it("is absent from response and log of a save, a read and a save that must not keep it", async () => {
    const [client, oauth] = [
      await newSmtpTestClient(families[0]),
      await newOAuthClient({ credential: kind }),
    ];
    const settings = { host: "smtp.example.net", from: "sender@example.com", ...oauth.settings };
    const { result, lines } = await captureLog(async () => [
      await client.save(settings),
      await client.ada.read(),
      await client.save({ ...settings, [field]: MASK, host: "smtp.example.org" }),
    ]);
    expect(result.map(({ httpStatus }) => httpStatus)).toEqual([200, 200, 400]);
    const seen = [JSON.stringify(result), ...lines].join("\n");
    expect(seen).toContain(MASK);
    for (const secret of secretsOf(oauth)) expect(seen).not.toContain(secret);
  });
});

describe("An access token", () => {
  it("is absent from response and log, although the mail server repeats it", async () => {
    const token = "the-access-token";
    const endpoint = await newTokenEndpoint(respondsWith({ access_token: token, token_type: "Bearer" }));
    const server = await scriptedServer([
      ...secured("AUTH XOAUTH2"),
      ...replies("AUTH", `334 ${btoa(`{"token":"${token}"}`)}`),
      ...replies("", `535 5.7.8 ${token} is not valid`),
      { hang: true },
    ]);
    const [client, oauth] = [await newSmtpTestClient(families[0]), await newOAuthClient()];
    const settings = {
      host: "localhost",
      port: server.port,
      from: "sender@example.com",
      starttls: true,
      ...oauth.settings,
      authTokenUrl: endpoint.url,
    };
    const { result, lines } = await captureLog(() => client.test({ settings }));
    expect(result).toMatchObject({
      httpStatus: 502,
      body: { challenge: '{"token":"***"}', reply: "*** is not valid" },
    });
    expect([JSON.stringify(result), ...lines].join("\n")).not.toContain(token);
  });
});
