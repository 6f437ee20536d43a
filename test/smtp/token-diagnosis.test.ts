import { describe, expect, it } from "vitest";
import type { TokenFailure } from "../../src/oauth/token-request.ts";
import { sendByToken, tokens } from "../support/oauth/token-sessions.ts";
import { replies, secured } from "../support/smtp/scripts.ts";
import { scriptedServer } from "../support/smtp/servers.ts";

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** The diagnosis of a server that rejects the token with a challenge. */
async function diagnosisOf(challenge: string, { mechanism = "XOAUTH2", reply = "535 5.7.8 no" } = {}) {
  const answer = mechanism === "XOAUTH2" ? "" : "AQ==";
  const server = await scriptedServer([
    ...secured(`AUTH ${mechanism}`),
    ...replies("AUTH", `334 ${challenge}`),
    ...replies(answer, reply),
    { hang: true },
  ]);
  const result = await sendByToken(server, tokens("the-access-token").source);
  return {
    diagnosis: "diagnosis" in result ? result.diagnosis : undefined,
    lines: (await server.state()).lines,
  };
}

describe.concurrent("The diagnosis of a rejected token", () => {
  const error = '{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}';

  it.each([
    ["XOAUTH2", ""],
    ["OAUTHBEARER", "AQ=="],
  ])("has the decoded challenge of %s, which the client answers with %j", async (mechanism, answer) => {
    const { diagnosis, lines } = await diagnosisOf(base64(error), { mechanism });
    expect(diagnosis).toMatchObject({
      stage: "authentication",
      message: "The SMTP server rejected the access token.",
      smtpCode: 535,
      enhancedCode: "5.7.8",
      reply: "no",
      challenge: error,
    });
    expect(lines[lines.findIndex((line) => line.startsWith("AUTH")) + 1]).toBe(answer);
  });

  it("has the scope that is missing in its hint", async () => {
    const { diagnosis } = await diagnosisOf(base64('{"status":"insufficient_scope","scope":"smtp"}'));
    expect(diagnosis?.hint).toBe(
      "The access token lacks a scope: set authTokenScope to the one that the server's challenge names.",
    );
  });

  it.each([
    ["text that is not base64", "not base64!", expect.any(String)],
    ["control characters", base64("a\u0000b\u001b[31m\r\nc"), "a b [31m c"],
    ["more than 200 characters", base64("x ".repeat(500)), `${"x ".repeat(99)}x`],
    ["nothing", "", ""],
  ])("bears a challenge of %s", async (_, challenge, shown) => {
    const { diagnosis } = await diagnosisOf(challenge);
    expect(diagnosis).toMatchObject({ smtpCode: 535 });
    expect(diagnosis?.challenge?.trim()).toEqual(shown);
  });

  it("never contains the token, in clear or as it was sent", async () => {
    const sent = base64("user=postmaster@example.com\x01auth=Bearer the-access-token\x01\x01");
    const { diagnosis } = await diagnosisOf(base64(`{"token":"the-access-token"}`), {
      reply: `535 5.7.8 rejected the-access-token ${sent}`,
    });
    expect(diagnosis).toMatchObject({ challenge: '{"token":"***"}', reply: "rejected *** ***" });
  });

  it.each([
    ["a long challenge", (token: string) => `{"token":"${token}"}`],
    ["a challenge with long words", (token: string) => `${token} ${"x".repeat(300)} bad`],
    ["the line of a challenge that starts with a code", (token: string) => `no\r\n${token}`],
  ])("never contains a part of the token, which the server repeats in %s", async (_, challengeOf) => {
    const token = `535-${"t".repeat(200)}`;
    const server = await scriptedServer([
      ...secured("AUTH XOAUTH2"),
      ...replies("AUTH", `334 ${base64(challengeOf(token))}`),
      ...replies("", "535 5.7.8 no"),
      { hang: true },
    ]);
    const result = await sendByToken(server, tokens(token).source);
    expect(result).toMatchObject({ diagnosis: { challenge: expect.stringContaining("***") } });
    expect(JSON.stringify(result)).not.toContain("ttt");
  });

  it("never contains the token if the connection closes after the reply", async () => {
    const server = await scriptedServer([
      ...secured("AUTH XOAUTH2"),
      { expect: "AUTH" },
      { send: "421 4.7.0 bad the-access-token\r\n" },
      { close: true },
    ]);
    const result = await sendByToken(server, tokens("the-access-token").source);
    expect(result).toMatchObject({ diagnosis: { smtpCode: 421 } });
    expect(JSON.stringify(result)).not.toContain("the-access-token");
  });
});

describe.concurrent("The diagnosis of stage token", () => {
  it.each<[TokenFailure, string, object]>([
    [
      { kind: "forbidden" },
      "The address of the token endpoint is not allowed, so no access token was requested.",
      { hint: "Set authTokenUrl to an https address with a public host that is not one of this service." },
    ],
    [
      { kind: "unreachable", status: 503 },
      "The token endpoint could not be reached, or is not available.",
      { oauth: { status: 503 } },
    ],
    [
      { kind: "no_token", status: 302 },
      "The token endpoint did not return an access token.",
      { oauth: { status: 302 }, hint: expect.stringContaining("redirects are not followed") },
    ],
    [
      { kind: "rejected", status: 401, error: "invalid_client", description: "AADSTS7000222: expired." },
      "The token endpoint rejected the request for an access token.",
      {
        oauth: { status: 401, error: "invalid_client", error_description: "AADSTS7000222: expired." },
        hint: expect.stringContaining("client secret has expired"),
      },
    ],
  ])("describes %j", async (failure, message, members) => {
    const server = await scriptedServer([...secured("AUTH XOAUTH2"), { hang: true }]);
    const result = await sendByToken(server, tokens({ ok: false, failure }).source);
    expect(result).toMatchObject({ diagnosis: { stage: "token", message, ...members } });
    expect((await server.state()).lines.join("\n")).not.toContain("AUTH");
  });

  it("has no member oauth if the endpoint did not respond", async () => {
    const server = await scriptedServer([...secured("AUTH XOAUTH2"), { hang: true }]);
    const result = await sendByToken(server, tokens({ ok: false, failure: { kind: "unreachable" } }).source);
    expect(result).not.toHaveProperty("diagnosis.oauth");
  });
});
