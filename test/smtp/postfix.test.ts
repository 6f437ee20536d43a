import { describe, expect, inject, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import type { ReceivedMail } from "../support/smtp/mail-server.ts";
import { postfix } from "../support/smtp/servers.ts";
import { openSession, stepsOf } from "../support/smtp/sessions.ts";
import { newSmtpTestClient } from "../support/smtp/smtp-test-client.ts";

const milliseconds = expect.any(Number);
const MECHANISMS = ["PLAIN", "LOGIN"];
const queued = expect.stringMatching(/^Ok: queued as \w+$/);

/** The mail to a recipient, once Postfix has passed it on. No other test has this recipient. */
async function mailTo(recipient: string): Promise<ReceivedMail> {
  const server = await postfix("submission");
  return eventually(async () => {
    const { messages } = await server.state();
    const found = messages.filter(({ rcptTo }) => rcptTo.includes(recipient));
    expect(found).toHaveLength(1);
    return found[0] as ReceivedMail;
  });
}

// vitest.config.ts warns if Postfix is missing, and names the packages to install.
describe.skipIf(!inject("postfixIsInstalled")).concurrent("Postfix with Dovecot SASL", () => {
  it.each([
    ["STARTTLS", "submission", {}, ["connect", "greeting", "tls"]],
    ["implicit TLS", "submissions", { ssl: true }, ["connect", "tls", "greeting"]],
  ] as const)("accepts a mail over %s", async (tls, service, settings, stages) => {
    const to = `${service}@example.org`;
    const server = await postfix(service);
    const changes = { ...settings, fromDisplayName: "Jörg Müller", replyTo: "answers@example.com" };
    const steps = await stepsOf(server, {
      settings: changes,
      mail: { to, subject: "Grüße", text: ".dot\nüber\n" },
    });
    expect(steps.map(({ stage }) => stage).slice(0, 3)).toEqual(stages);
    expect(steps.find(({ stage }) => stage === "tls")?.tls).toBe(tls === "STARTTLS" ? tls : "implicit");
    expect(steps[2]).toMatchObject({ mechanisms: MECHANISMS });
    expect(steps.slice(3)).toEqual([
      { stage: "authentication", mechanism: "PLAIN", milliseconds },
      { stage: "sender", milliseconds },
      { stage: "recipient", milliseconds },
      { stage: "message", reply: queued, milliseconds },
    ]);
    const mail = await mailTo(to);
    expect(mail.mailFrom).toBe("sender@example.com");
    expect(mail.raw).toMatch(/^Received: from mail\.example\.com \(.*\)\r\n\t\(using TLSv1\.3 .*\r\n/m);
    expect(mail.raw).toMatch(/^\t\(Authenticated sender: postmaster\)\r\n/m);
    expect(mail.raw).toMatch(/^From: =\?UTF-8\?\S+\?= <sender@example\.com>\r\n/m);
    expect(mail.raw).toMatch(/^Message-ID: <id-of-this-mail@example\.com>\r\n/m);
    expect(mail.raw).toMatch(/^Auto-Submitted: auto-generated\r\n/m);
    expect(mail.raw).toMatch(/^\.dot\r\n/m);
  });

  it("accepts an address that requires SMTPUTF8", async () => {
    const to = "smtputf8@example.org";
    await stepsOf(await postfix("submission"), { settings: { from: "jörg@example.com" }, mail: { to } });
    expect((await mailTo(to)).mailFrom).toBe("jörg@example.com");
  });

  it("accepts several pipelined messages over one session, and rejects some between them", async () => {
    const { session, message } = await openSession(await postfix("submission"), { pipelining: true });
    const to = (recipient: string) => ({ ...message, envelope: { ...message.envelope, to: recipient } });
    expect(await session.send(to("first@example.org"))).toMatchObject({ ok: true });
    for (const recipient of ["unknown@example.net", "full@example.org"]) {
      expect(await session.send(to(recipient))).toMatchObject({
        ok: false,
        failure: { kind: "reply", stage: "recipient" },
      });
    }
    expect(await session.send(to("second@example.org"))).toMatchObject({ ok: true });
    session.close();
    await mailTo("first@example.org");
    await mailTo("second@example.org");
  });

  it("passes a test and a probe of the API, and a verified save", async () => {
    const client = await newSmtpTestClient(families[0]);
    const settings = localSettings((await postfix("submission")).port);
    expect(await client.test({ settings, mode: "probe" })).toMatchObject({ httpStatus: 200 });
    expect(await client.save(settings, "?verify=true")).toMatchObject({ httpStatus: 200 });
    const { messages } = await (await postfix("submission")).state();
    expect(messages.filter(({ rcptTo }) => rcptTo.includes("ada@example.com"))).toEqual([]);
    expect(await client.test()).toMatchObject({ httpStatus: 200 });
    await mailTo("ada@example.com");
  });
});
