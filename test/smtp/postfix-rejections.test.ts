import { describe, expect, inject, it } from "vitest";
import type { PostfixService } from "../support/smtp/postfix.ts";
import { postfix } from "../support/smtp/servers.ts";
import { diagnosisOf, type SessionChanges, stepsOf } from "../support/smtp/sessions.ts";

const milliseconds = expect.any(Number);
const noUser = { user: undefined, password: undefined, from: "visitor@example.net" };

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
      message: "The SMTP server rejected this client.",
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
      message: "The SMTP server ended the session right after the TLS handshake.",
      stage: "authentication",
      smtpCode: 421,
      reply: expect.stringContaining("No client certificate presented"),
      hint: expect.stringContaining("may require a client certificate"),
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
      hint: "The server does not accept messages of this size: send a smaller one.",
    },
    probe: "success",
  },
  {
    title: "messages that come too fast (smtpd_client_message_rate_limit)",
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
      hint: "The message exceeds the server's size limit: send a smaller one.",
    });
  });
});
