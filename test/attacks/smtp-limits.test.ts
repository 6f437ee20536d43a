import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type SmtpTimeouts, TEST_TIMEOUTS } from "../../src/smtp/limits.ts";
import type { ScriptAction } from "../support/smtp/scripted-server.ts";
import { acceptsMail, authenticated, greets, offers, replies, secured } from "../support/smtp/scripts.ts";
import { scriptedServer } from "../support/smtp/servers.ts";
import { diagnosisOf, expectClosed } from "../support/smtp/sessions.ts";

const hang: ScriptAction = { hang: true };
const toStartTls: ScriptAction[] = [...greets, ...offers("STARTTLS"), { expect: "STARTTLS" }];
const toAuth: ScriptAction[] = [...secured("AUTH PLAIN"), { expect: "AUTH" }];

/** Each stage, with the script that leads to it. */
const stages: [stage: string, script: ScriptAction[]][] = [
  ["greeting", greets],
  ["tls", toStartTls],
  ["authentication", toAuth],
  ["sender", [...authenticated(), { expect: "MAIL" }]],
  ["recipient", [...authenticated(), ...replies("MAIL", "250 ok"), { expect: "RCPT" }]],
  [
    "message",
    [...authenticated(), ...replies("MAIL", "250 ok"), ...replies("RCPT", "250 ok"), { expect: "DATA" }],
  ],
];

const TIMED_OUT = /^The SMTP server timed out while handling /;
const NO_GREETING = /^The host accepted the connection, but did not respond as an SMTP server\.$/;

interface SlowServer {
  title: string;
  script: ScriptAction[];
  stage: string;
  /** The limit that ends the session. The others are long. */
  limit: keyof SmtpTimeouts;
  message: RegExp;
  settings?: Record<string, unknown>;
  /** workerd closes a socket during a handshake only when the request ends, and a test is no request. */
  inHandshake?: true;
}

const slowServers: SlowServer[] = [
  {
    title: "hangs instead of a handshake",
    script: [hang],
    stage: "connect",
    limit: "connectMs",
    message: /could not be reached/,
    settings: { ssl: true },
    inHandshake: true,
  },
  {
    title: "hangs instead of a greeting",
    script: [hang],
    stage: "greeting",
    limit: "greetingMs",
    message: NO_GREETING,
  },
  ...stages.map(
    ([stage, script]): SlowServer => ({
      title: `hangs at ${stage}`,
      script: [...script, hang],
      stage,
      limit: "replyMs",
      message: stage === "greeting" ? NO_GREETING : TIMED_OUT,
    }),
  ),
  {
    title: "hangs after its reply to STARTTLS",
    script: [...toStartTls, { send: "220 go\r\n" }, hang],
    stage: "tls",
    limit: "replyMs",
    message: TIMED_OUT,
    inHandshake: true,
  },
  {
    title: "sends single bytes of a greeting",
    script: [{ drip: "220 an endless greeting".padEnd(100), everyMs: 100 }],
    stage: "greeting",
    limit: "greetingMs",
    message: NO_GREETING,
  },
  {
    title: "sends single bytes of a reply",
    script: [...greets, { drip: "250-an endless reply".padEnd(100), everyMs: 100 }],
    stage: "greeting",
    limit: "replyMs",
    message: NO_GREETING,
  },
  {
    title: "sends single bytes of a reply over TLS",
    script: [...toAuth, { drip: "235 an endless reply".padEnd(100), everyMs: 100 }],
    stage: "authentication",
    limit: "replyMs",
    message: TIMED_OUT,
  },
  {
    title: "hangs after the message",
    script: [...authenticated(), ...acceptsMail.slice(0, -1), hang],
    stage: "message",
    limit: "messageReplyMs",
    message: TIMED_OUT,
  },
  {
    title: "never stops asking for more",
    script: [...toAuth, ...Array.from({ length: 100 }, slowChallenge).flat()],
    stage: "authentication",
    limit: "totalMs",
    message: TIMED_OUT,
  },
];

/** A reply to AUTH that is in time, but asks for another line (RFC 4954 section 4). */
function slowChallenge(): ScriptAction[] {
  return [{ drip: "3", everyMs: 100 }, { send: "34 more\r\n" }, { expect: "" }];
}

describe.concurrent("SMTP session with a server that", () => {
  const SHORT_MS = 1_000;
  const LONG_MS = 60_000;

  it.each(slowServers)("$title ends after $limit", async ({ script, limit, stage, message, ...slow }) => {
    const server = await scriptedServer(script);
    const long = {
      connectMs: LONG_MS,
      greetingMs: LONG_MS,
      replyMs: LONG_MS,
      messageReplyMs: LONG_MS,
      totalMs: LONG_MS,
    };
    const startedAt = Date.now();
    const diagnosis = await diagnosisOf(server, {
      settings: slow.settings ?? {},
      timeouts: { ...long, [limit]: SHORT_MS },
    });
    const milliseconds = Date.now() - startedAt;
    expect(diagnosis).toMatchObject({ stage, message: expect.stringMatching(message) });
    expect(diagnosis.hint).not.toBe("");
    expect(milliseconds).toBeGreaterThanOrEqual(SHORT_MS - 50);
    expect(milliseconds).toBeLessThan(5 * SHORT_MS);
    if (!slow.inHandshake) await expectClosed(server);
  });
});

describe("SMTP session without limits of its caller", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("ends after 10 s without a reply, and after 20 s in all", async () => {
    const server = await scriptedServer([...toAuth, hang]);
    let ended = false;
    const session = diagnosisOf(server).finally(() => {
      ended = true;
    });
    while (!(await server.state()).lines.some((line) => line.startsWith("AUTH"))) {
      // The timers stand still until the server has received AUTH.
    }
    await vi.advanceTimersByTimeAsync(9_999);
    expect(ended).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await session).toMatchObject({
      stage: "authentication",
      message: expect.stringMatching(TIMED_OUT),
    });
    expect(TEST_TIMEOUTS.totalMs).toBe(20_000);
  });
});

describe.concurrent("SMTP session with a server that", () => {
  it.each(stages)("closes the connection at %s reports no rejection", async (stage, script) => {
    const server = await scriptedServer([...script, { close: true }]);
    const diagnosis = await diagnosisOf(server);
    expect(diagnosis.stage).toBe(stage);
    expect(diagnosis.message).toMatch(
      /closed the connection|TLS handshake failed|did not respond as an SMTP server/,
    );
    expect(diagnosis).not.toHaveProperty("smtpCode");
    await expectClosed(server);
  });

  it.each(stages)("sends rubbish at %s reports no rejection", async (stage, script) => {
    const server = await scriptedServer([...script, { send: "rubbish \u0000\u0007\r\n" }, hang]);
    const diagnosis = await diagnosisOf(server);
    expect(diagnosis.stage).toBe(stage);
    expect(JSON.stringify(diagnosis)).not.toContain("rubbish");
    expect(diagnosis).not.toHaveProperty("smtpCode");
    await expectClosed(server);
  });
});

describe.concurrent("SMTP session with a server that floods it", () => {
  it.each([
    ["empty lines", "\r\n".repeat(30_000)],
    ["greetings", "220 mx.example.net\r\n".repeat(3_000)],
    ["replies", "250 ok\r\n".repeat(8_000)],
    ["endless continuation lines", "250-more\r\n".repeat(6_000)],
    ["one endless line", "2".repeat(60_000)],
    ["NUL bytes", "\u0000".repeat(60_000)],
  ])("with %s before TLS ends at once", async (_, flood) => {
    for (const script of [[], greets]) {
      const server = await scriptedServer([...script, { flood }]);
      const startedAt = Date.now();
      expect(["greeting", "tls"]).toContain((await diagnosisOf(server)).stage);
      expect(Date.now() - startedAt).toBeLessThan(4_500);
      await expectClosed(server);
    }
  });

  it.each([
    ["empty lines", "\r\n".repeat(30_000)],
    ["replies", "334 more\r\n".repeat(6_000)],
    ["endless continuation lines", "235-more\r\n".repeat(6_000)],
    ["one endless line", "2".repeat(60_000)],
  ])("with %s over TLS ends at once", async (_, flood) => {
    const server = await scriptedServer([...toAuth, { flood }]);
    const startedAt = Date.now();
    expect((await diagnosisOf(server)).stage).toBe("authentication");
    expect(Date.now() - startedAt).toBeLessThan(4_500);
    await expectClosed(server);
  });
});
