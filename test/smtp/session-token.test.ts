import { describe, expect, it, vi } from "vitest";
import type { TokenResult } from "../../src/oauth/token-request.ts";
import { cached, sendByToken, tokens } from "../support/oauth/token-sessions.ts";
import { freezeClock, longTimeouts, watch } from "../support/smtp/frozen-clock.ts";
import { acceptsMail, greets, offers, replies, secured } from "../support/smtp/scripts.ts";
import { scriptedServer, type TestServer } from "../support/smtp/servers.ts";
import { expectClosed } from "../support/smtp/sessions.ts";

const milliseconds = expect.any(Number);

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** The message of XOAUTH2 for the user of these tests. */
function xoauth2(token: string): string {
  return base64(`user=postmaster@example.com\x01auth=Bearer ${token}\x01\x01`);
}

const welcomes = replies("AUTH", "235 2.7.0 welcome");
const rejects = replies("AUTH", "535 5.7.8 Authentication failed");

describe.concurrent("Authentication by access token", () => {
  it("sends XOAUTH2 in one line, and completes the stages token and authentication", async () => {
    const server = await scriptedServer([...secured("AUTH PLAIN XOAUTH2"), ...welcomes, ...acceptsMail]);
    const { source, rejections } = tokens("token-1");
    expect(await sendByToken(server, source)).toEqual({
      steps: [
        { stage: "connect", milliseconds },
        { stage: "greeting", milliseconds },
        { stage: "tls", tls: "STARTTLS", milliseconds, mechanisms: ["PLAIN", "XOAUTH2"] },
        { stage: "token", milliseconds },
        { stage: "authentication", mechanism: "XOAUTH2", milliseconds },
        { stage: "sender", milliseconds },
        { stage: "recipient", milliseconds },
        { stage: "message", milliseconds, reply: "queued as 4F7A1" },
      ],
    });
    expect((await server.state()).lines).toContain(`AUTH XOAUTH2 ${xoauth2("token-1")}`);
    expect(rejections).toEqual([undefined]);
    await expectClosed(server);
  });

  it("prefers XOAUTH2 to OAUTHBEARER", async () => {
    const server = await scriptedServer([
      ...secured("AUTH OAUTHBEARER XOAUTH2"),
      ...welcomes,
      ...acceptsMail,
    ]);
    const result = await sendByToken(server, tokens("token-1").source);
    expect(result).toMatchObject({
      steps: expect.arrayContaining([expect.objectContaining({ mechanism: "XOAUTH2" })]),
    });
  });

  it("sends OAUTHBEARER if the server offers only that (RFC 7628 section 3.1)", async () => {
    const server = await scriptedServer([...secured("AUTH LOGIN OAUTHBEARER"), ...welcomes, ...acceptsMail]);
    expect(await sendByToken(server, tokens("token-1").source)).toMatchObject({
      steps: expect.arrayContaining([{ stage: "authentication", mechanism: "OAUTHBEARER", milliseconds }]),
    });
    const message = `n,a=postmaster@example.com,\x01host=localhost\x01port=${server.port}\x01auth=Bearer token-1\x01\x01`;
    expect((await server.state()).lines).toContain(`AUTH OAUTHBEARER ${base64(message)}`);
  });

  it("escapes the user in OAUTHBEARER (RFC 5801 section 4)", async () => {
    const server = await scriptedServer([...secured("AUTH OAUTHBEARER"), ...welcomes, ...acceptsMail]);
    await sendByToken(server, tokens("token-1").source, { settings: { user: "a=b,c=2C" } });
    const line = (await server.state()).lines.find((text) => text.startsWith("AUTH ")) ?? "";
    const [header] = Buffer.from(line.slice("AUTH OAUTHBEARER ".length), "base64")
      .toString("utf8")
      .split("\x01");
    expect(header).toBe("n,a=a=3Db=2Cc=3D2C,");
  });

  it.each(["XOAUTH2", "OAUTHBEARER"])(
    "sends a token too long for the line of %s after an empty challenge (RFC 4954 section 4)",
    async (mechanism) => {
      const token = "x".repeat(2_000);
      const server = await scriptedServer([
        ...secured(`AUTH ${mechanism}`),
        ...replies("AUTH", "334 "),
        ...replies(mechanism === "XOAUTH2" ? xoauth2(token) : base64("n,a=postmast"), "235 ok"),
        ...acceptsMail,
      ]);
      expect(await sendByToken(server, tokens(token).source)).toHaveProperty("steps");
      expect((await server.state()).lines).toContain(`AUTH ${mechanism}`);
    },
  );

  it("keeps the line of AUTH within 512 octets", async () => {
    for (const length of [310, 311, 312, 313]) {
      const token = "x".repeat(length);
      const inOneLine = `AUTH XOAUTH2 ${xoauth2(token)}`.length + 2 <= 512;
      const server = await scriptedServer([
        ...secured("AUTH XOAUTH2"),
        ...(inOneLine ? welcomes : [...replies("AUTH", "334"), ...replies(xoauth2(token), "235 ok")]),
        ...acceptsMail,
      ]);
      expect(await sendByToken(server, tokens(token).source)).toHaveProperty("steps");
      const line = (await server.state()).lines.find((text) => text.startsWith("AUTH "));
      expect(line).toBe(inOneLine ? `AUTH XOAUTH2 ${xoauth2(token)}` : "AUTH XOAUTH2");
    }
  });

  it("uses no token if auth is false", async () => {
    const server = await scriptedServer([...secured("AUTH XOAUTH2"), ...acceptsMail]);
    const { source, rejections } = tokens("token-1");
    expect(await sendByToken(server, source, { settings: { auth: false } })).toHaveProperty("steps");
    expect(rejections).toEqual([]);
  });
});

describe.concurrent("A server that refuses XOAUTH2", () => {
  it("gets OAUTHBEARER if it offers that, with the same token", async () => {
    const server = await scriptedServer([
      ...secured("AUTH XOAUTH2 OAUTHBEARER"),
      ...replies("AUTH XOAUTH2", "504 5.7.4 Unrecognized authentication type"),
      ...replies("AUTH OAUTHBEARER", "235 ok"),
      ...acceptsMail,
    ]);
    const { source, rejections } = tokens(cached("token-1"));
    expect(await sendByToken(server, source)).toMatchObject({
      steps: expect.arrayContaining([{ stage: "authentication", mechanism: "OAUTHBEARER", milliseconds }]),
    });
    expect(rejections).toEqual([undefined]);
  });

  it("does not cause a new token if it refuses all mechanisms", async () => {
    const server = await scriptedServer([
      ...secured("AUTH XOAUTH2"),
      ...replies("AUTH", "504 5.7.4 Unrecognized authentication type"),
      { hang: true },
    ]);
    const { source, rejections } = tokens(cached("token-1"), "token-2");
    expect(await sendByToken(server, source)).toMatchObject({
      diagnosis: { stage: "authentication", smtpCode: 504 },
    });
    expect(rejections).toEqual([undefined]);
  });
});

describe.concurrent("A cached token that the server rejects", () => {
  it("is renewed once, and the new one is sent over the same connection", async () => {
    const server = await scriptedServer([
      ...secured("AUTH XOAUTH2"),
      ...replies(`AUTH XOAUTH2 ${xoauth2("old")}`, "535 5.7.8 revoked"),
      ...replies(`AUTH XOAUTH2 ${xoauth2("new")}`, "235 ok"),
      ...acceptsMail,
    ]);
    const { source, rejections } = tokens(cached("old"), "new");
    expect(await sendByToken(server, source)).toHaveProperty("steps");
    expect(rejections).toEqual([undefined, "old"]);
    expect((await server.state()).connections).toBe(1);
  });

  it("is renewed after a challenge too, which no later failure repeats", async () => {
    const server = await scriptedServer([
      ...secured("AUTH XOAUTH2"),
      ...replies("AUTH", `334 ${base64('{"status":"401"}')}`),
      ...replies("", "535 5.7.8 revoked"),
      ...replies(`AUTH XOAUTH2 ${xoauth2("new")}`, "235 ok"),
      ...replies("MAIL", "550 5.7.1 no"),
      { hang: true },
    ]);
    const result = await sendByToken(server, tokens(cached("old"), "new").source);
    expect(result).toMatchObject({ diagnosis: { stage: "sender", reply: "no" } });
    expect(result).not.toHaveProperty("diagnosis.challenge");
  });

  it("is renewed only once: a second rejection is reported", async () => {
    const server = await scriptedServer([...secured("AUTH XOAUTH2"), ...rejects, ...rejects, { hang: true }]);
    const { source, rejections } = tokens(cached("old"), cached("also old"), "new");
    expect(await sendByToken(server, source)).toMatchObject({
      diagnosis: {
        stage: "authentication",
        smtpCode: 535,
        message: "The SMTP server rejected the access token.",
      },
    });
    expect(rejections).toEqual([undefined, "old"]);
    expect((await server.state()).lines.filter((line) => line.startsWith("AUTH"))).toHaveLength(2);
  });

  it("leads to the failure of the endpoint if that issues no other", async () => {
    const server = await scriptedServer([...secured("AUTH XOAUTH2"), ...rejects, { hang: true }]);
    const failure = { kind: "rejected", status: 401, error: "invalid_client" } as const;
    const result = await sendByToken(server, tokens(cached("old"), { ok: false, failure }).source);
    expect(result).toMatchObject({
      diagnosis: { stage: "token", oauth: { status: 401, error: "invalid_client" } },
    });
  });

  it("is not renewed after 421, which closes the connection", async () => {
    const server = await scriptedServer([
      ...secured("AUTH XOAUTH2"),
      ...replies("AUTH", "421 4.7.0 Try again later"),
      { close: true },
    ]);
    const { source, rejections } = tokens(cached("old"), "new");
    expect(await sendByToken(server, source)).toMatchObject({
      diagnosis: { stage: "authentication", smtpCode: 421 },
    });
    expect(rejections).toEqual([undefined]);
  });
});

it("A fresh token that the server rejects is not renewed", async () => {
  const server = await scriptedServer([...secured("AUTH XOAUTH2"), ...rejects, { hang: true }]);
  const { source, rejections } = tokens("token-1", "token-2");
  expect(await sendByToken(server, source)).toMatchObject({ diagnosis: { smtpCode: 535 } });
  expect(rejections).toEqual([undefined]);
});

describe.concurrent("No token is requested", () => {
  it.each([
    [
      "none",
      [...greets, ...offers("AUTH XOAUTH2")],
      "The connection is not encrypted, so no access token was sent.",
    ],
    [
      "STARTTLS without a mechanism for it",
      secured("AUTH PLAIN LOGIN"),
      "The SMTP server does not offer authentication by access token.",
    ],
    [
      "STARTTLS without AUTH",
      secured("HELP"),
      "The SMTP server does not offer authentication by access token.",
    ],
  ])("if the server offers %s", async (_, script, message) => {
    const server = await scriptedServer([...script, { hang: true }]);
    const { source, rejections } = tokens("token-1");
    const result = await sendByToken(server, source, { settings: { starttls: script.length > 4 } });
    expect(result).toMatchObject({ diagnosis: { message } });
    expect(rejections).toEqual([]);
    expect((await server.state()).lines.join("\n")).not.toMatch(/AUTH|MAIL/);
    await expectClosed(server);
  });
});

describe("The time limit of a token", () => {
  freezeClock();

  /** A session whose token does not come before the test wants it, once the session has asked for it. */
  async function waiting(server: TestServer, changes: Parameters<typeof sendByToken>[2] = {}) {
    const asked = Promise.withResolvers<void>();
    const token = Promise.withResolvers<TokenResult>();
    const source = () => {
      asked.resolve();
      return token.promise;
    };
    const session = watch(sendByToken(server, source, changes));
    await asked.promise;
    return { session, come: () => token.resolve(cached("token-1")) };
  }

  it("is none of the settings, which are for the SMTP server", async () => {
    const server = await scriptedServer([...secured("AUTH XOAUTH2"), ...welcomes, ...acceptsMail]);
    const { session, come } = await waiting(server, { settings: { timeout: 1_000, writeTimeout: 1_000 } });
    await vi.advanceTimersByTimeAsync(2_500);
    come();
    expect(await session.work).toHaveProperty("steps");
  });

  it("makes the endpoint count as unreachable", async () => {
    const server = await scriptedServer([...secured("AUTH XOAUTH2"), { hang: true }]);
    const { session } = await waiting(server, { timeouts: longTimeouts({ replyMs: 100 }) });
    await vi.advanceTimersByTimeAsync(99);
    expect(session.ended).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await session.work).toMatchObject({
      diagnosis: {
        stage: "token",
        message: "The token endpoint could not be reached, or is not available.",
      },
    });
    await expectClosed(server);
  });
});
