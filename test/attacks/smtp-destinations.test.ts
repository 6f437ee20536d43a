import { beforeEach, describe, expect, it } from "vitest";
import { invalidField } from "../support/answers.ts";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { deliver, failureOf } from "../support/smtp/conversations.ts";
import type { Act } from "../support/smtp/scripted-server.ts";
import { replies } from "../support/smtp/scripts.ts";
import { type OrderedServer, scriptedServer } from "../support/smtp/servers.ts";
import { newTester, type Tester } from "../support/smtp/tester.ts";

const PROBLEM = "must be a public host: loopback, private and other special addresses are not dialled";
const forbidden = invalidField("host", PROBLEM);
const forbiddenInTest = invalidField("settings.host", PROBLEM);
const GUARDED = { env: { ALLOW_PRIVATE_HOSTS: "false" } };
const hosts = [
  "localhost",
  "127.0.0.1",
  "0x7f.1",
  "2130706433",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "10.0.0.1",
  "a.internal",
];

describe("a private destination", () => {
  let tester: Tester;
  let server: OrderedServer;
  beforeEach(async () => {
    tester = await newTester(families[1]);
    server = await scriptedServer([]);
  });

  it.each(hosts)("%s is not dialled for a test", async (host) => {
    for (const mode of ["send", "probe"]) {
      const settings = localSettings(server.port, { host });
      expect(await tester.test({ settings, mode }, GUARDED)).toEqual(forbiddenInTest);
    }
    expect((await server.findings()).connections).toBe(0);
  });

  it.each(hosts)("%s is not dialled to verify", async (host) => {
    const settings = localSettings(server.port, { host });
    expect(await tester.save(settings, "?verify=true", GUARDED)).toEqual(forbidden);
    expect((await server.findings()).connections).toBe(0);
    expect(await tester.ada.sealed()).toBeNull();
  });

  it("is not dialled for settings that were stored while ALLOW_PRIVATE_HOSTS was on", async () => {
    await tester.save(localSettings(server.port));
    for (const mode of ["send", "probe"]) expect(await tester.test({ mode }, GUARDED)).toEqual(forbidden);
    expect((await server.findings()).connections).toBe(0);
  });
});

function ftp(reply: string): Act[] {
  return [
    { send: "220 (vsFTPd 3.0.3)\r\n" },
    ...["EHLO", "HELO"].flatMap((command) => replies(command, reply)),
    { hang: true },
  ];
}

describe("what does not greet as an SMTP server", () => {
  const settings = { host: "127.0.0.1" };

  it("looks the same, whatever it is: silent, HTTP, SSH, or something that closes", async () => {
    const strangers = await Promise.all(
      [
        [{ hang: true as const }],
        [
          { send: "HTTP/1.1 400 Bad Request\r\nContent-Length: 11\r\n\r\nBad Request" },
          { close: true as const },
        ],
        [{ send: "HTTP/1.1 200 OK\r\n\r\nsecret page" }, { hang: true as const }],
        [{ send: "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n" }, { hang: true as const }],
        ftp("500 Unknown command. secret banner"),
        ftp("530 Please login with USER and PASS. secret banner"),
        ftp("502 EHLO not implemented. secret banner"),
        [{ send: "220 FTP\r\n" }, { close: true as const }],
        [{ send: "+OK POP3 ready\r\n" }, { hang: true as const }],
        [{ send: "* OK IMAP4rev1 ready\r\n" }, { hang: true as const }],
        [{ send: "-ERR wrong number of arguments\r\n" }, { hang: true as const }],
        [{ send: "\u0015\u0003\u0001\u0000\u0002\u0002\u0046" }, { close: true as const }],
        [{ close: true as const }],
      ].map(async (script) => failureOf(await scriptedServer(script))),
    );
    for (const diagnosis of strangers) {
      expect(diagnosis).toEqual({
        message: "A connection was made, but nothing greeted there as an SMTP server.",
        stage: "greeting",
        hint: "Check host and port: what answers there does not greet and answer EHLO as an SMTP server does, or not in time.",
        steps: [{ stage: "connect", milliseconds: expect.any(Number) }],
      });
    }
  }, 15_000);

  it("looks the same over implicit TLS as a port that is closed", async () => {
    const http = await scriptedServer([{ send: "HTTP/1.1 400 Bad Request\r\n\r\n" }, { hang: true }]);
    const closed = await deliver({ port: 1 }, { ...settings, ssl: true });
    expect(await deliver(http, { ...settings, ssl: true })).toEqual(closed);
  }, 15_000);

  it("differs from a port that is closed by its stage, and by nothing that it said", async () => {
    expect(await failureOf({ port: 1 }, settings)).toEqual({
      message: "No connection to the SMTP server could be made.",
      stage: "connect",
      hint: "Check host and port, and that the server accepts connections from the internet.",
      steps: [],
    });
  });
});
