import { describe, expect, it, vi } from "vitest";
import type { SmtpTimeouts } from "../../src/smtp/timeouts.ts";
import { freezeClock, longTimeouts, until, untilReceived, watch } from "../support/smtp/frozen-clock.ts";
import type { ScriptAction } from "../support/smtp/scripted-server.ts";
import { acceptsMail, authenticated, greets, offers, replies, secured } from "../support/smtp/scripts.ts";
import { scriptedServer } from "../support/smtp/servers.ts";
import { diagnosisOf, expectClosed } from "../support/smtp/sessions.ts";

const hang: ScriptAction = { hang: true };
const toStartTls: ScriptAction[] = [...greets, ...offers("STARTTLS"), { expect: "STARTTLS" }];
const toAuth: ScriptAction[] = [...secured("AUTH PLAIN"), { expect: "AUTH" }];

/** Each stage, with the script that leads to it, and the last line that the server receives. */
const stages: [stage: string, script: ScriptAction[], last: string][] = [
  ["greeting", greets, "EHLO"],
  ["tls", toStartTls, "STARTTLS"],
  ["authentication", toAuth, "AUTH"],
  ["sender", [...authenticated(), { expect: "MAIL" }], "MAIL"],
  ["recipient", [...authenticated(), ...replies("MAIL", "250 ok"), { expect: "RCPT" }], "RCPT"],
  [
    "message",
    [...authenticated(), ...replies("MAIL", "250 ok"), ...replies("RCPT", "250 ok"), { expect: "DATA" }],
    "DATA",
  ],
];

const TIMED_OUT = /^The SMTP server timed out while handling /;
const NO_SMTP = /^The host accepted the connection, but did not respond as an SMTP server\.$/;
const SILENT = /^The host accepted the connection, but sent nothing for 1 s\.$/;

interface SlowServer {
  title: string;
  script: ScriptAction[];
  stage: string;
  /** The limit that ends the session. The others are long. */
  limit: keyof SmtpTimeouts;
  message: RegExp;
  /** The last line that the server receives, if any. */
  last?: string;
  /** How often the limit has been set by then. */
  waits?: number;
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
    message: SILENT,
  },
  ...stages.map(
    ([stage, script, last]): SlowServer => ({
      title: `hangs at ${stage}`,
      script: [...script, hang],
      stage,
      limit: "replyMs",
      message: stage === "greeting" ? NO_SMTP : TIMED_OUT,
      last,
    }),
  ),
  {
    title: "hangs after its reply to STARTTLS",
    script: [...toStartTls, { send: "220 go\r\n" }, hang],
    stage: "tls",
    limit: "replyMs",
    message: TIMED_OUT,
    // Greeting, EHLO, STARTTLS.
    waits: 3,
    inHandshake: true,
  },
  {
    title: "sends single bytes of a greeting",
    script: [{ drip: "220 an endless greeting".padEnd(1_000), everyMs: 10 }],
    stage: "greeting",
    limit: "greetingMs",
    message: NO_SMTP,
  },
  {
    title: "sends single bytes of a reply",
    script: [...greets, { drip: "250-an endless reply".padEnd(1_000), everyMs: 10 }],
    stage: "greeting",
    limit: "replyMs",
    message: NO_SMTP,
    last: "EHLO",
  },
  {
    title: "sends single bytes of a reply over TLS",
    script: [...toAuth, { drip: "235 an endless reply".padEnd(1_000), everyMs: 10 }],
    stage: "authentication",
    limit: "replyMs",
    message: TIMED_OUT,
    last: "AUTH",
  },
  {
    title: "hangs after the message",
    script: [...authenticated(), ...acceptsMail.slice(0, -1), hang],
    stage: "message",
    limit: "messageReplyMs",
    message: TIMED_OUT,
    last: ".",
  },
];

describe("SMTP session with a server that", () => {
  const LIMIT_MS = 1_000;
  const limitsSet = freezeClock();

  it.each(slowServers)("$title ends at $limit", async ({ script, limit, stage, message, ...slow }) => {
    const server = await scriptedServer(script);
    const timeouts = longTimeouts({ [limit]: LIMIT_MS });
    const session = watch(diagnosisOf(server, { settings: slow.settings ?? {}, timeouts }));
    if (slow.last !== undefined) await untilReceived(server, slow.last);
    const waits = () => limitsSet().filter((milliseconds) => milliseconds === LIMIT_MS).length;
    await until(server, () => waits() >= (slow.waits ?? 1));
    // The bytes of a slow reply arrive meanwhile, if any.
    for (let turn = 0; turn < 20; turn++) await server.state();
    await vi.advanceTimersByTimeAsync(LIMIT_MS - 1);
    expect(session.ended).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    const diagnosis = await session.work;
    expect(diagnosis).toMatchObject({ stage, message: expect.stringMatching(message) });
    expect(diagnosis.hint).not.toBe("");
    if (!slow.inHandshake) await expectClosed(server);
  });

  it("is slow at every stage ends at totalMs", async () => {
    const server = await scriptedServer([{ wait: true }, ...toAuth, hang]);
    const session = watch(diagnosisOf(server, { timeouts: longTimeouts({ totalMs: LIMIT_MS }) }));
    await until(server, () => limitsSet().includes(LIMIT_MS));
    await vi.advanceTimersByTimeAsync(LIMIT_MS - 1);
    await server.release();
    await untilReceived(server, "AUTH");
    expect(session.ended).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await session.work).toMatchObject({
      stage: "authentication",
      message: expect.stringMatching(TIMED_OUT),
    });
    await expectClosed(server);
  });

  it("hangs ends after 30 s in all without limits of the caller", async () => {
    const server = await scriptedServer([...toAuth, hang]);
    const session = watch(diagnosisOf(server));
    await untilReceived(server, "AUTH");
    await vi.advanceTimersByTimeAsync(29_999);
    expect(session.ended).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await session.work).toMatchObject({
      stage: "authentication",
      message: expect.stringMatching(TIMED_OUT),
    });
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

// Only the limit of the input ends these sessions in the time that a test has.
describe.concurrent("SMTP session with a server that floods it", () => {
  const timeouts = longTimeouts();

  it.each([
    ["empty lines", "\r\n".repeat(30_000)],
    ["greetings", "220 mx.example.net\r\n".repeat(3_000)],
    ["replies", "250 ok\r\n".repeat(8_000)],
    ["endless continuation lines", "250-more\r\n".repeat(6_000)],
    ["one endless line", "2".repeat(60_000)],
    ["NUL bytes", "\u0000".repeat(60_000)],
  ])("with %s before TLS ends", async (_, flood) => {
    for (const script of [[], greets]) {
      const server = await scriptedServer([...script, { flood }]);
      expect(["greeting", "tls"]).toContain((await diagnosisOf(server, { timeouts })).stage);
      await expectClosed(server);
    }
  });

  it.each([
    ["empty lines", "\r\n".repeat(30_000)],
    ["replies", "334 more\r\n".repeat(6_000)],
    ["endless continuation lines", "235-more\r\n".repeat(6_000)],
    ["one endless line", "2".repeat(60_000)],
  ])("with %s over TLS ends", async (_, flood) => {
    const server = await scriptedServer([...toAuth, { flood }]);
    expect((await diagnosisOf(server, { timeouts })).stage).toBe("authentication");
    await expectClosed(server);
  });
});
