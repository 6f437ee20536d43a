import { describe, expect, inject, it } from "vitest";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { arrivedAt, expectClosed, failureOf, stepsOf } from "../support/smtp/conversations.ts";
import { exim } from "../support/smtp/servers.ts";
import { newTester } from "../support/smtp/tester.ts";

const milliseconds = expect.any(Number);

// vitest.config.ts warns, with the package to install, where Exim is missing.
describe.skipIf(!inject("eximIsInstalled"))("Exim (Debian's exim4-daemon-light)", () => {
  it("takes a mail over STARTTLS and AUTH PLAIN, and has it in its queue", async () => {
    const server = await exim();
    const settings = { fromDisplayName: "Jörg Müller", envelopeFrom: "bounces@example.com" };
    const steps = await stepsOf(server, settings, { subject: "Grüße", text: ".dot\nüber\n" });
    expect(steps).toEqual([
      { stage: "connect", milliseconds },
      { stage: "greeting", milliseconds },
      { stage: "tls", tls: "STARTTLS", milliseconds },
      { stage: "authentication", mechanism: "PLAIN", milliseconds },
      { stage: "sender", milliseconds },
      { stage: "recipient", milliseconds },
      { stage: "message", reply: expect.stringMatching(/^OK id=[\w-]+$/), milliseconds },
    ]);
    const mail = await arrivedAt(server);
    expect(mail).toMatchObject({
      mailFrom: "bounces@example.com",
      rcptTo: ["reader@example.org"],
      user: "postmaster",
      mechanism: "PLAIN",
      secure: true,
    });
    expect(mail.raw).toMatch(/^From: =\?UTF-8\?\S+\?= <sender@example\.com>$/m);
    expect(mail.raw).toMatch(/^Message-ID: <id-of-this-mail@example\.com>$/m);
    expect(mail.raw).toMatch(/^\.dot$/m);
    await expectClosed(server);
  });

  it("takes a mail of an address that needs SMTPUTF8", async () => {
    const server = await exim();
    await stepsOf(server, { from: "jörg@example.com" });
    expect((await arrivedAt(server)).mailFrom).toBe("jörg@example.com");
  });

  it("answers a test and a probe of the API", async () => {
    const tester = await newTester(families[0]);
    const server = await exim();
    const settings = localSettings(server.port);
    expect(await tester.test({ settings, mode: "probe" })).toMatchObject({ httpStatus: 200 });
    expect((await server.findings()).mails).toEqual([]);
    expect(await tester.test({ settings })).toMatchObject({ httpStatus: 200 });
    expect((await arrivedAt(server)).rcptTo).toEqual(["ada@example.com"]);
  });

  it("refuses a wrong password, with the hint to check it", async () => {
    const server = await exim();
    expect(await failureOf(server, { password: "wrong" })).toMatchObject({
      stage: "authentication",
      smtpCode: 535,
      reply: "Incorrect authentication data",
      hint: expect.stringContaining("Check user and password"),
    });
    expect((await server.findings()).mails).toEqual([]);
  });

  it("refuses to relay for nobody, with the hint to set user and password", async () => {
    const server = await exim();
    expect(await failureOf(server, { auth: false })).toMatchObject({
      stage: "recipient",
      smtpCode: 550,
      reply: "relay not permitted",
      hint: expect.stringContaining("set user and password"),
    });
    expect((await server.findings()).mails).toEqual([]);
  });
});
