import { describe, expect, inject, it } from "vitest";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { exim } from "../support/smtp/servers.ts";
import { diagnosisOf, expectClosed, receivedMail, stepsOf } from "../support/smtp/sessions.ts";
import { newSmtpTestClient } from "../support/smtp/smtp-test-client.ts";

const milliseconds = expect.any(Number);

// vitest.config.ts warns if Exim is missing, and names the package to install.
describe.skipIf(!inject("eximIsInstalled")).concurrent("Exim (Debian's exim4-daemon-light)", () => {
  it("queues a mail sent over STARTTLS and AUTH PLAIN", async () => {
    const server = await exim();
    const settings = { fromDisplayName: "Jörg Müller", envelopeFrom: "bounces@example.com" };
    const steps = await stepsOf(server, { settings, mail: { subject: "Grüße", text: ".dot\nüber\n" } });
    expect(steps).toEqual([
      { stage: "connect", milliseconds },
      { stage: "greeting", milliseconds },
      { stage: "tls", tls: "STARTTLS", milliseconds },
      { stage: "authentication", mechanism: "PLAIN", milliseconds },
      { stage: "sender", milliseconds },
      { stage: "recipient", milliseconds },
      { stage: "message", reply: expect.stringMatching(/^OK id=[\w-]+$/), milliseconds },
    ]);
    const mail = await receivedMail(server);
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

  it("accepts an address that requires SMTPUTF8", async () => {
    const server = await exim();
    await stepsOf(server, { settings: { from: "jörg@example.com" } });
    expect((await receivedMail(server)).mailFrom).toBe("jörg@example.com");
  });

  it("passes a test and a probe of the API", async () => {
    const client = await newSmtpTestClient(families[0]);
    const server = await exim();
    const settings = localSettings(server.port);
    expect(await client.test({ settings, mode: "probe" })).toMatchObject({ httpStatus: 200 });
    expect((await server.state()).mails).toEqual([]);
    expect(await client.test({ settings })).toMatchObject({ httpStatus: 200 });
    expect((await receivedMail(server)).rcptTo).toEqual(["ada@example.com"]);
  });

  it("rejects a wrong password, and the hint says to check it", async () => {
    const server = await exim();
    expect(await diagnosisOf(server, { settings: { password: "wrong" } })).toMatchObject({
      stage: "authentication",
      smtpCode: 535,
      reply: "Incorrect authentication data",
      hint: expect.stringContaining("Check user and password"),
    });
    expect((await server.state()).mails).toEqual([]);
  });

  it("does not relay without authentication, and the hint says to set user and password", async () => {
    const server = await exim();
    expect(await diagnosisOf(server, { settings: { auth: false } })).toMatchObject({
      stage: "recipient",
      smtpCode: 550,
      reply: "relay not permitted",
      hint: expect.stringContaining("set user and password"),
    });
    expect((await server.state()).mails).toEqual([]);
  });
});
