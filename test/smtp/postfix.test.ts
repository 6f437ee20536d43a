import { describe, expect, inject, it, vi } from "vitest";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import type { ReceivedMail } from "../support/smtp/mail-server.ts";
import type { PostfixService } from "../support/smtp/postfix.ts";
import { postfix } from "../support/smtp/servers.ts";
import { diagnosisOf, openSession, type SessionChanges, stepsOf } from "../support/smtp/sessions.ts";
import { newSmtpTestClient } from "../support/smtp/smtp-test-client.ts";

const milliseconds = expect.any(Number);
const MECHANISMS = ["PLAIN", "LOGIN"];
const noUser = { user: undefined, password: undefined, from: "visitor@example.net" };
const queued = expect.stringMatching(/^Ok: queued as \w+$/);

/** The mail to a recipient, once Postfix has passed it on. No other test has this recipient. */
async function mailTo(recipient: string): Promise<ReceivedMail> {
  const server = await postfix("submission");
  return vi.waitFor(
    async () => {
      const { mails } = await server.state();
      const found = mails.filter(({ rcptTo }) => rcptTo.includes(recipient));
      expect(found).toHaveLength(1);
      return found[0] as ReceivedMail;
    },
    { timeout: 10_000, interval: 50 },
  );
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

  it("accepts several mails over one session, and rejects some between them", async () => {
    const { session, message } = await openSession(await postfix("submission"));
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
    const { mails } = await (await postfix("submission")).state();
    expect(mails.filter(({ rcptTo }) => rcptTo.includes("ada@example.com"))).toEqual([]);
    expect(await client.test()).toMatchObject({ httpStatus: 200 });
    await mailTo("ada@example.com");
  });
});

interface Rejection extends SessionChanges {
  title: string;
  service?: PostfixService;
  diagnosis: Record<string, unknown>;
  /** What a probe reports: the same diagnosis, or success with this reply in the step of the recipient. */
  probe: "same diagnosis" | { reply: string } | "success";
}

const rejections: Rejection[] = [
  {
    title: "a wrong password",
    settings: { password: "wrong" },
    diagnosis: {
      message: "The SMTP server rejected the user and password.",
      stage: "authentication",
      smtpCode: 535,
      enhancedCode: "5.7.8",
      hint: expect.stringContaining("Check user and password"),
    },
    probe: "same diagnosis",
  },
  {
    title: "a sender that the user may not use (reject_sender_login_mismatch)",
    settings: { from: "other@example.com" },
    diagnosis: {
      message: "The SMTP server rejected the sender.",
      stage: "recipient",
      smtpCode: 553,
      enhancedCode: "5.7.1",
      reply: "<other@example.com>: Sender address rejected: not owned by user postmaster",
      hint: expect.stringContaining("The user may not send as this address"),
    },
    probe: "same diagnosis",
  },
  {
    title: "a sender who has not logged in",
    settings: { ...noUser, from: "sender@example.com" },
    diagnosis: {
      message: "The SMTP server rejected the sender.",
      stage: "recipient",
      smtpCode: 553,
      hint: expect.stringContaining("Set user and password"),
    },
    probe: "same diagnosis",
  },
  {
    title: "relaying without a user (defer_unauth_destination)",
    settings: noUser,
    diagnosis: {
      message: "The SMTP server rejected the recipient.",
      stage: "recipient",
      smtpCode: 454,
      enhancedCode: "4.7.1",
      reply: "<reader@example.org>: Relay access denied",
      hint: expect.stringContaining("Set user and password"),
    },
    probe: "same diagnosis",
  },
  {
    title: "a client without a user (permit_sasl_authenticated, reject)",
    service: "authenticatedClientsOnly",
    settings: noUser,
    diagnosis: {
      message: "The SMTP server rejected the client.",
      stage: "recipient",
      smtpCode: 554,
      hint: expect.stringContaining("Set user and password"),
    },
    probe: "same diagnosis",
  },
  {
    title: "a client without a certificate (smtpd_tls_req_ccert)",
    service: "clientCertificate",
    diagnosis: {
      stage: "authentication",
      smtpCode: 421,
      reply: expect.stringContaining("client certificate"),
    },
    probe: "same diagnosis",
  },
  {
    title: "an unknown recipient",
    mail: { to: "unknown@example.net" },
    diagnosis: {
      message: "The SMTP server rejected the recipient.",
      stage: "recipient",
      smtpCode: 550,
      enhancedCode: "5.1.1",
      hint: "The server does not recognize this address: check it.",
    },
    probe: {
      reply:
        "550 5.1.1 <unknown@example.net>: Recipient address rejected: User unknown in local recipient table",
    },
  },
  {
    title: "a recipient, and hangs up (smtpd_hard_error_limit)",
    service: "oneError",
    mail: { to: "unknown@example.net" },
    diagnosis: { stage: "recipient", smtpCode: 550, enhancedCode: "5.1.1" },
    probe: {
      reply:
        "550 5.1.1 <unknown@example.net>: Recipient address rejected: User unknown in local recipient table",
    },
  },
  {
    title: "a greylisted recipient (postgrey)",
    mail: { to: "greylisted@example.org" },
    diagnosis: {
      stage: "recipient",
      smtpCode: 450,
      enhancedCode: "4.2.0",
      hint: expect.stringContaining("try again in a few minutes"),
    },
    probe: {
      reply:
        "450 4.2.0 <greylisted@example.org>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example.org.html",
    },
  },
  {
    title: "a recipient whose mailbox is full (Dovecot quota-status)",
    mail: { to: "full@example.org" },
    diagnosis: {
      stage: "recipient",
      smtpCode: 552,
      enhancedCode: "5.2.2",
      hint: "The recipient's mailbox is full: use another recipient, or ask its owner to free space.",
    },
    probe: { reply: "552 5.2.2 <full@example.org>: Recipient address rejected: Mailbox is full" },
  },
  {
    title: "a message above its size limit",
    service: "smallMessagesUndeclared",
    diagnosis: {
      message: "The SMTP server rejected the message.",
      stage: "message",
      smtpCode: 552,
      enhancedCode: "5.3.4",
      hint: "The server does not accept messages of this size.",
    },
    probe: "success",
  },
  {
    title: "mails that come too fast (smtpd_client_message_rate_limit)",
    service: "oneMailPerMinute",
    diagnosis: {
      message: "The SMTP server rejected the sender.",
      stage: "sender",
      smtpCode: 450,
      enhancedCode: "4.7.1",
      hint: expect.stringContaining("try again in a few minutes"),
    },
    probe: "success",
  },
];

describe.skipIf(!inject("postfixIsInstalled")).concurrent("The diagnosis of Postfix", () => {
  it.each(rejections)("explains that it rejects $title", async ({ service = "submission", ...rejection }) => {
    const server = await postfix(service);
    if (service === "oneMailPerMinute") await stepsOf(server, { mail: { to: "fast@example.org" } });
    const { settings = {}, mail = {}, diagnosis } = rejection;
    expect(await diagnosisOf(server, { settings, mail })).toMatchObject(diagnosis);
    const probe = { settings, mail, mode: "probe" } as const;
    if (rejection.probe === "same diagnosis") {
      expect(await diagnosisOf(server, probe)).toMatchObject(diagnosis);
    } else {
      const { reply } = rejection.probe === "success" ? { reply: undefined } : rejection.probe;
      const steps = await stepsOf(server, probe);
      if (reply !== undefined) expect(steps.at(-1)).toEqual({ stage: "recipient", reply, milliseconds });
    }
  });

  it("names the size limit that Postfix declares, and sends nothing", async () => {
    expect(await diagnosisOf(await postfix("smallMessages"))).toMatchObject({
      message: "The message exceeds the SMTP server's size limit.",
      stage: "message",
      hint: "The message exceeds the server's size limit.",
    });
  });
});
