import { describe, expect, it } from "vitest";
import { expectClosed, failureOf } from "../support/smtp/conversations.ts";
import type { Act } from "../support/smtp/scripted-server.ts";
import { authenticated, greets, offers, replies, secured } from "../support/smtp/scripts.ts";
import { scriptedServer } from "../support/smtp/servers.ts";

const SLACK_MS = 2_500;

/** A stage, with the script that leads to it. */
const stages: [stage: string, script: Act[]][] = [
  ["greeting", greets],
  ["tls", [...greets, ...offers("STARTTLS"), { expect: "STARTTLS" }]],
  ["authentication", [...secured("AUTH PLAIN"), { expect: "AUTH" }]],
  ["sender", [...authenticated(), { expect: "MAIL" }]],
  ["recipient", [...authenticated(), ...replies("MAIL", "250 ok"), { expect: "RCPT" }]],
  [
    "message",
    [...authenticated(), ...replies("MAIL", "250 ok"), ...replies("RCPT", "250 ok"), { expect: "DATA" }],
  ],
];

interface Patience {
  name: string;
  script: Act[];
  stage: string;
  atMostMs: number;
  message: RegExp;
  settings?: Record<string, unknown>;
  /** workerd closes a socket in the middle of a handshake when the request ends, and a test is no request. */
  inHandshake?: true;
}

const TOO_LONG = /^The SMTP server took too long over /;
const NO_GREETING = /^A connection was made, but nothing greeted there as an SMTP server\.$/;
const hang: Act = { hang: true };

/** The same acts, with 6 seconds before all but the first character of each reply. */
function slowly(acts: Act[]): Act[] {
  return acts.flatMap((act): Act[] =>
    "send" in act ? [{ drip: act.send.slice(0, 1), everyMs: 6_000 }, { send: act.send.slice(1) }] : [act],
  );
}

const slow: Patience[] = [
  {
    name: "hangs instead of a handshake",
    script: [hang],
    stage: "connect",
    atMostMs: 5_000,
    message: /^No connection/,
    settings: { ssl: true },
    inHandshake: true,
  },
  {
    name: "hangs instead of a greeting",
    script: [hang],
    stage: "greeting",
    atMostMs: 5_000,
    message: NO_GREETING,
  },
  ...stages.map(([stage, script]) => ({
    name: `hangs at ${stage}`,
    script: [...script, hang],
    stage,
    atMostMs: 10_000,
    message: stage === "greeting" ? NO_GREETING : TOO_LONG,
  })),
  {
    name: "hangs after it agreed to STARTTLS",
    script: [...greets, ...offers("STARTTLS"), ...replies("STARTTLS", "220 go"), hang],
    stage: "tls",
    atMostMs: 10_000,
    message: TOO_LONG,
    inHandshake: true,
  },
  {
    name: "drips its greeting",
    script: [{ drip: "220 a greeting that takes its time\r\n", everyMs: 1_000 }],
    stage: "greeting",
    atMostMs: 5_000,
    message: NO_GREETING,
  },
  {
    name: "drips a reply",
    script: [...greets, { drip: "250-one byte a second, and never an end\r\n", everyMs: 1_000 }],
    stage: "greeting",
    atMostMs: 10_000,
    message: NO_GREETING,
  },
  {
    name: "drips a reply over TLS",
    script: [...secured("AUTH PLAIN"), { drip: "235 one byte a second, and never an end", everyMs: 1_000 }],
    stage: "authentication",
    atMostMs: 10_000,
    message: TOO_LONG,
  },
  {
    name: "takes 6 seconds over each reply",
    script: [
      ...greets,
      ...slowly([...offers("STARTTLS"), ...replies("STARTTLS", "220 go")]),
      { startTls: true },
      ...slowly([...offers("AUTH PLAIN"), ...replies("AUTH", "235 ok")]),
      hang,
    ],
    stage: "authentication",
    atMostMs: 20_000,
    message: TOO_LONG,
  },
];

describe.concurrent("a server that", () => {
  it.each(slow)(
    "$name is left in time",
    async ({ script, stage, atMostMs, message, settings, inHandshake }) => {
      const server = await scriptedServer(script);
      const started = Date.now();
      const diagnosis = await failureOf(server, settings);
      const took = Date.now() - started;
      expect(diagnosis).toMatchObject({ stage, message: expect.stringMatching(message) });
      expect(diagnosis.hint).not.toBe("");
      expect(took).toBeGreaterThan(atMostMs - 5_500);
      expect(took).toBeLessThan(atMostMs + SLACK_MS);
      if (!inHandshake) await expectClosed(server);
    },
    40_000,
  );
});

describe("a server that", () => {
  it.each(stages)("closes at %s is told from one that answers", async (stage, script) => {
    const server = await scriptedServer([...script, { close: true }]);
    const diagnosis = await failureOf(server);
    expect(diagnosis.stage).toBe(stage);
    expect(diagnosis.message).toMatch(/closed the connection|no TLS connection came about|nothing greeted/);
    await expectClosed(server);
  });

  it.each(stages)("answers rubbish at %s is told from one that refuses", async (stage, script) => {
    const server = await scriptedServer([...script, { send: "rubbish \u0000\u0007\r\n" }, hang]);
    const diagnosis = await failureOf(server);
    expect(diagnosis.stage).toBe(stage);
    expect(JSON.stringify(diagnosis)).not.toContain("rubbish");
    expect(diagnosis).not.toHaveProperty("smtpCode");
    await expectClosed(server);
  });
});

describe.concurrent("a server that", () => {
  it.each([
    ["empty lines", "\r\n".repeat(30_000)],
    ["greetings", "220 mx.example.net\r\n".repeat(3_000)],
    ["replies", "250 ok\r\n".repeat(8_000)],
    ["endless continuation lines", "250-more\r\n".repeat(6_000)],
    ["one line without an end", "2".repeat(60_000)],
    ["bytes that are nothing", "\u0000".repeat(60_000)],
  ])(
    "floods with %s before TLS is left at once",
    async (_, flood) => {
      for (const script of [[], greets]) {
        const server = await scriptedServer([...script, { flood }]);
        const started = Date.now();
        expect(["greeting", "tls"]).toContain((await failureOf(server)).stage);
        expect(Date.now() - started).toBeLessThan(5_000);
        await expectClosed(server);
      }
    },
    30_000,
  );

  it.each([
    ["empty lines", "\r\n".repeat(30_000)],
    ["replies", "334 more\r\n".repeat(6_000)],
    ["endless continuation lines", "235-more\r\n".repeat(6_000)],
    ["one line without an end", "2".repeat(60_000)],
  ])(
    "floods with %s over TLS is left at once",
    async (_, flood) => {
      const server = await scriptedServer([...secured("AUTH PLAIN"), { expect: "AUTH" }, { flood }]);
      const started = Date.now();
      expect((await failureOf(server)).stage).toBe("authentication");
      expect(Date.now() - started).toBeLessThan(5_000);
      await expectClosed(server);
    },
    30_000,
  );
});
