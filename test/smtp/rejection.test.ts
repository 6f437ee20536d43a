import { describe, expect, it } from "vitest";
import { causeOfRejection, type RejectionCause } from "../../src/smtp/rejection.ts";

const longBeginning = Array.from(
  { length: 9 },
  () => "550-5.7.1 Please read our policy first, thank you.\r\n",
).join("");

describe("causeOfRejection", () => {
  it.each<[RejectionCause, reply: string]>([
    ["authentication", "530 5.7.0 Authentication required"],
    ["authentication", "530 Must issue a STARTTLS command first"],
    ["authentication", "550 5.7.57 Client not authenticated to send mail"],
    ["authentication", "454 4.7.1 <reader@example.org>: Relay access denied"],
    ["authentication", "554 5.7.1 <localhost[127.0.0.1]>: Client host rejected: Access denied"],
    ["authentication", "550 5.7.1 Relaying denied"],
    ["authentication", "550 relay not permitted"],
    ["authentication", "550 5.7.64 TenantAttribution; Relay Access Denied"],
    ["authentication", "550 5.7.1 Unable to relay"],
    ["authentication", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"],
    ["authentication", "554 5.7.8 Please log in first"],
    ["sender", "553 5.7.1 <a@example.com>: Sender address rejected: not owned by user ada"],
    ["sender", "450 4.1.8 <a@example.invalid>: Sender address rejected: Domain not found"],
    ["sender", "554 5.2.252 SendAsDenied; ada@example.com not allowed to send as a@example.com"],
    ["sender", "550 The from address does not match a verified Sender Identity"],
    ["sender", "554 Message rejected: Email address is not verified."],
    ["sender", "550 Sender verify failed"],
    ["throttling", "450 4.7.1 Error: too many mails from 192.0.2.7"],
    ["throttling", "450 4.7.1 Error: too much mail from 192.0.2.7"],
    ["throttling", "421 4.7.0 Try again later, throttled"],
    ["throttling", "550 5.4.5 Daily user sending limit exceeded"],
    ["throttling", "454 Throttling failure: Maximum sending rate exceeded."],
    ["throttling", "554 5.2.0 STOREDRV.Submission; submission quota exceeded"],
    ["throttling", "550 Domain example.com has exceeded the max emails per hour (125/100 (125%)) allowed"],
    ["account", "525 5.7.13 User account disabled"],
    ["account", "554 Message rejected: Sending paused for this account."],
    ["account", "550 5.7.0 Mail Sending denied. a640c23a62f3a - gsmtp"],
    ["account", "550 5.7.705 Service unavailable. Access denied, tenant has exceeded threshold"],
    ["account", "550 5.4.6 Unusual sending activity detected."],
    ["account", "525 5.7.1 Unauthorized IP address"],
    ["account", "502 5.7.0 Your SMTP account is not yet activated"],
    ["account", "550 5.7.1 Unconfigured Sending Domain <demo.example.com>"],
    ["other", "550 <sendas@example.org>: no such user"],
    ["other", "550 5.7.1 throttled.relay-denied@example.org: no such user"],
    ["other", "550 5.1.1 No such user. Sending limit exceeded"],
    ["other", "554 5.4.6 Too many hops"],
    ["other", "552 5.3.4 Message size limit exceeded"],
    ["other", "550 5.7.133 Sender not authenticated for group"],
    ["other", "550 5.7.1 Recipient address is not verified"],
    ["other", "550 5.2.1 The email account that you tried to reach is disabled."],
    ["other", "550 5.1.1 <x@example.org>: Recipient address rejected: User unknown"],
    ["other", "450 4.2.0 <x@example.org>: Recipient address rejected: Greylisted"],
    ["other", "451 4.7.1 Greylisting in action: sender is not known yet"],
    ["other", "450 4.7.1 Sender address rejected: Greylisted for 5 minutes"],
    ["other", "450 4.2.1 The user you are trying to contact receives too many mails"],
    ["other", "452 4.2.2 The email account that you tried to reach is over quota"],
    ["other", "552 5.2.2 Mailbox full: quota exceeded"],
    ["other", "552 user is over quota"],
    ["other", "552 5.3.4 Message size exceeds fixed limit"],
    ["other", "550 5.7.1 Your message to the sender's list was classified as spam"],
    ["other", "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org"],
    ["other", "550 Invalid recipient: <reader@example.org>"],
    ["other", "550 no"],
  ])("reads %s from: %s", (cause, reply) => {
    expect(causeOfRejection(reply)).toBe(cause);
  });

  it("reads all lines, however long the reply", () => {
    expect(causeOfRejection(`${longBeginning}550 5.7.1 Relaying denied`)).toBe("authentication");
  });

  it.each(["550 Invalid recipient: <reader@example.org>", "450 4.7.1 Client host rejected: unknown"])(
    "reads authentication from words that mean it only if no user was sent: %s",
    (reply) => {
      expect(causeOfRejection(reply, { authenticated: false })).toBe("authentication");
      expect(causeOfRejection(reply, { authenticated: true })).toBe("other");
    },
  );
});
