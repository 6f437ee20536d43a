import { describe, expect, it } from "vitest";
import { destinationProblem } from "../../src/smtp/destination.ts";
import { SmtpSession } from "../../src/smtp/session.ts";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { invalidField } from "../support/responses.ts";
import { smtpFailure } from "../support/smtp/failures.ts";
import type { ScriptAction } from "../support/smtp/scripted-server.ts";
import { replies } from "../support/smtp/scripts.ts";
import { scriptedServer } from "../support/smtp/servers.ts";
import { diagnosisOf, sendMail } from "../support/smtp/sessions.ts";
import { newSmtpTestClient } from "../support/smtp/smtp-test-client.ts";

const message =
  "must be a public host: loopback, private and other special-purpose addresses are not allowed";
const GUARDED = { env: { ALLOW_PRIVATE_HOSTS: "false" } };

describe("destinationProblem", () => {
  // test/mail/host.test.ts has every kind of address and name.
  it.each(["localhost", "127.0.0.1", "10.0.0.1", "::1", "::ffff:7f00:1", "a.internal"])(
    "rejects %s",
    (host) => {
      expect(destinationProblem(host, { allowPrivateHosts: false })).toEqual({ field: "host", message });
      expect(destinationProblem(host, { allowPrivateHosts: true })).toBeUndefined();
    },
  );

  it.each(["smtp.example.com", "8.8.8.8"])("accepts %s", (host) => {
    expect(destinationProblem(host, { allowPrivateHosts: false })).toBeUndefined();
  });
});

describe("SMTP session", () => {
  it("does not connect to a private host", async () => {
    const server = await scriptedServer([]);
    const session = new SmtpSession(
      { host: "127.0.0.1", port: server.port, ssl: false, starttls: true },
      { clientName: "mail.example.com", allowPrivateHosts: false },
    );
    expect(await session.open()).toEqual({
      ok: false,
      failure: smtpFailure("forbidden_destination", "connect"),
    });
    session.close();
    expect((await server.state()).connections).toBe(0);
  });
});

describe.each(families)("A private host, $family,", (family) => {
  // One spelling that the parser normalizes, and one name.
  it.each(["0x7f.1", "localhost"])("is not dialed for a test or a verified save (%s)", async (host) => {
    const client = await newSmtpTestClient(family);
    const server = await scriptedServer([]);
    const settings = localSettings(server.port, { host });
    for (const mode of ["send", "probe"]) {
      expect(await client.test({ settings, mode }, GUARDED)).toEqual(invalidField("settings.host", message));
    }
    expect(await client.save(settings, "?verify=true", GUARDED)).toEqual(invalidField("host", message));
    expect((await server.state()).connections).toBe(0);
    expect(await client.ada.sealed()).toBeNull();
  });

  it("is not dialed for settings stored while ALLOW_PRIVATE_HOSTS was on", async () => {
    const client = await newSmtpTestClient(family);
    const server = await scriptedServer([]);
    await client.save(localSettings(server.port));
    for (const mode of ["send", "probe"]) {
      expect(await client.test({ mode }, GUARDED)).toEqual(invalidField("host", message));
    }
    expect((await server.state()).connections).toBe(0);
  });
});

function ftp(reply: string): ScriptAction[] {
  return [
    { send: "220 (vsFTPd 3.0.3)\r\n" },
    ...["EHLO", "HELO"].flatMap((command) => replies(command, reply)),
    { hang: true },
  ];
}

const otherServers: [name: string, script: ScriptAction[]][] = [
  ["a server that closes the connection", [{ close: true }]],
  [
    "an HTTP server that closes the connection",
    [{ send: "HTTP/1.1 400 Bad Request\r\nContent-Length: 11\r\n\r\nBad Request" }, { close: true }],
  ],
  ["an HTTP server", [{ send: "HTTP/1.1 200 OK\r\n\r\nsecret page" }, { hang: true }]],
  ["an SSH server", [{ send: "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n" }, { hang: true }]],
  ["an FTP server that replies 500 to EHLO", ftp("500 Unknown command. secret banner")],
  ["an FTP server that replies 530 to EHLO", ftp("530 Please login with USER and PASS. secret banner")],
  ["an FTP server that replies 502 to EHLO", ftp("502 EHLO not implemented. secret banner")],
  ["an FTP server that closes the connection", [{ send: "220 FTP\r\n" }, { close: true }]],
  ["a POP3 server", [{ send: "+OK POP3 ready\r\n" }, { hang: true }]],
  ["an IMAP server", [{ send: "* OK IMAP4rev1 ready\r\n" }, { hang: true }]],
  ["a Redis server", [{ send: "-ERR wrong number of arguments\r\n" }, { hang: true }]],
  ["a TLS server", [{ send: "\u0015\u0003\u0001\u0000\u0002\u0002\u0046" }, { close: true }]],
];

describe.concurrent("The diagnosis of a server that does not speak SMTP", () => {
  it.each(otherServers)("does not reveal %s", async (_, script) => {
    expect(await diagnosisOf(await scriptedServer(script))).toEqual({
      message: "The host accepted the connection, but did not respond as an SMTP server.",
      stage: "greeting",
      hint: "Check host and port: no valid SMTP greeting and EHLO reply arrived in time. If the port expects implicit TLS, set ssl to true.",
      steps: [{ stage: "connect", milliseconds: expect.any(Number) }],
    });
  });

  it("is the same as for a closed port over implicit TLS", async () => {
    const http = await scriptedServer([{ send: "HTTP/1.1 400 Bad Request\r\n\r\n" }, { hang: true }]);
    const settings = { host: "127.0.0.1", ssl: true };
    expect(await sendMail(http, { settings })).toEqual(await sendMail({ port: 1 }, { settings }));
  });

  it("names the connect stage for a closed port", async () => {
    expect(await diagnosisOf({ port: 1 }, { settings: { host: "127.0.0.1" } })).toEqual({
      message: "The SMTP server could not be reached.",
      stage: "connect",
      hint: "Check host and port, and that the server accepts connections from the internet.",
      steps: [],
    });
  });
});
