import { describe, expect, it } from "vitest";
import { type Classification, classify, type Worked } from "../../../src/smtp/replies/classify.ts";
import type { SmtpFailure, Stage } from "../../../src/smtp/result.ts";
import { smtpFailure } from "../../support/smtp/failures.ts";

const settings = {
  host: "smtp.example.net",
  port: 587,
  starttls: true,
  ssl: false,
  user: "sender@example.com",
  password: "s3cret",
  from: "sender@example.com",
};
const recipient = "ada@example.org";

function classified(
  failure: SmtpFailure,
  worked: Partial<Worked> = {},
  changes: object = {},
): Classification {
  const nothing: Worked = { login: false, sender: false, message: false, others: false };
  return classify(failure, {
    settings: { ...settings, ...changes },
    recipient,
    worked: { ...nothing, ...worked },
  });
}

function reply(stage: Stage, text: string): SmtpFailure {
  return smtpFailure("reply", stage, { reply: text });
}

describe("a recipient or content at fault beyond doubt", () => {
  it.each<[Stage, string, subject: string]>([
    ["recipient", "550 5.1.1 no such user", "recipient"],
    ["recipient", "550 5.1.2 no such domain", "recipient"],
    ["recipient", "553 5.1.3 bad syntax", "recipient"],
    ["recipient", "551 5.1.6 moved", "recipient"],
    ["recipient", "556 5.1.10 null MX", "recipient"],
    ["recipient", "552 5.2.2 mailbox full", "recipient"],
    ["message", "550 5.2.1 disabled", "recipient"],
    ["recipient", "550 5.7.124 not in the allowed senders", "recipient"],
    ["recipient", "550 5.7.133 sender not authenticated for group", "recipient"],
    ["message", "552 5.3.4 too large", "content"],
    ["message", "554 5.2.3 too large", "content"],
    ["sender", "552 5.3.4 too large", "content"],
    ["sender", "552 message size exceeds fixed maximum", "content"],
    ["message", "554 5.6.0 malformed", "content"],
  ])("is final by its code: %s, %s", (stage, text, subject) => {
    expect(classified(reply(stage, text))).toMatchObject({
      cause: "message",
      subject,
      basis: "code",
      isFinal: true,
    });
  });

  it.each<[Stage, string]>([
    ["recipient", "550 <ada@example.org>: unknown in our directory"],
    ["recipient", "554 5.7.1 <ADA@example.org>: rejected"],
    ["message", "550 we take nothing for ada@example.org."],
  ])("is final if the reply names its address only: %s, %s", (stage, text) => {
    expect(classified(reply(stage, text))).toMatchObject({
      cause: "message",
      subject: "recipient",
      basis: "address",
      isFinal: true,
    });
  });

  it.each<[Stage, string]>([
    ["recipient", "450 4.1.1 <ada@example.org>: try later"],
    ["recipient", "550 5.7.1 mail from sender@example.com to ada@example.org is not wanted"],
    ["message", "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException"],
    ["sender", "550 5.1.1 unknown"],
    ["recipient", "550 no"],
    ["message", "554 5.7.1 message refused"],
  ])("is in doubt: %s, %s", (stage, text) => {
    expect(classified(reply(stage, text)).isFinal).toBe(false);
  });
});

describe("words that blame the settings", () => {
  const relay = "554 5.7.1 <ada@example.org>: Relay access denied";

  it("count while nothing else is known", () => {
    expect(classified(reply("recipient", relay))).toMatchObject({ cause: "settings", isFinal: false });
  });

  it("do not count if the connection has accepted another message since", () => {
    expect(classified(reply("recipient", relay), { others: true })).toMatchObject({
      cause: "message",
      subject: "recipient",
      isFinal: true,
    });
  });

  it("do not count in a reply that another server has given", () => {
    const quoted =
      "450 4.1.1 <ada@example.org>: Recipient address rejected: unverified address: host mx.example[192.0.2.9] said: 530 5.7.0 Authentication required (in reply to RCPT TO command)";
    expect(classified(reply("recipient", quoted)).cause).not.toBe("settings");
  });

  it("do not count if only the words of a code are known, and the sender was accepted before", () => {
    const bare = reply("sender", "550 5.1.0 no");
    expect(classified(bare)).toMatchObject({ cause: "settings", basis: "code" });
    expect(classified(bare, { sender: true })).toMatchObject({ cause: "server", basis: "experience" });
  });
});

describe("words that save a message", () => {
  it.each<[string]>([
    ["550 Domain example.com has exceeded the max emails per hour (125/100 (125%)) allowed"],
    ["550 5.4.5 Daily user sending quota exceeded"],
    ["550 5.7.0 <sender@example.com> has exceeded its sending limit"],
  ])("blame the account, also if others were accepted: %s", (text) => {
    expect(classified(reply("message", text), { message: true, others: true })).toMatchObject({
      cause: "account",
      isFinal: false,
    });
  });
});

describe("a sender", () => {
  it("is at fault if the reply names its address only", () => {
    expect(classified(reply("recipient", "550 <sender@example.com>: not here"))).toMatchObject({
      cause: "settings",
      subject: "sender",
      basis: "address",
    });
  });

  it("is at fault if MAIL is rejected with words about a recipient", () => {
    expect(classified(reply("sender", "550 no such user here"))).toMatchObject({ cause: "settings" });
  });

  it("has a full mailbox if MAIL is rejected with 5.2.2", () => {
    expect(classified(reply("sender", "552 5.2.2 over quota"))).toMatchObject({ cause: "account" });
  });
});

describe("SMTPUTF8", () => {
  it.each(["501 5.5.4 bad parameter", "553 5.6.7 not here", "555 5.5.4 unsupported"])(
    "rejected in reply to MAIL is about the message: %s",
    (text) => {
      const failure = smtpFailure("reply", "sender", { reply: text, smtputf8: true });
      expect(classified(failure)).toMatchObject({ cause: "message" });
      expect(classified({ ...failure, smtputf8: false, reply: "555 5.5.4 unsupported" }).cause).not.toBe(
        "message",
      );
    },
  );

  it("not offered is about the recipient or the message, or else about the settings", () => {
    expect(classified(smtpFailure("smtputf8_not_offered", "recipient"))).toMatchObject({
      cause: "message",
      isFinal: true,
    });
    const ofSender = smtpFailure("smtputf8_not_offered", "sender");
    expect(classified(ofSender)).toMatchObject({ cause: "message", isFinal: true });
    expect(classified(ofSender, {}, { from: "jörg@example.com" })).toMatchObject({ cause: "settings" });
    expect(classified(ofSender, {}, { from: "sender@jörg.example" })).toMatchObject({ cause: "message" });
  });
});

describe("a login", () => {
  it("that worked before makes a rejected password the server's fault", () => {
    const rejected = reply("authentication", "535 5.7.8 no");
    expect(classified(rejected)).toMatchObject({ cause: "settings", subject: "password" });
    expect(classified(rejected, { login: true })).toMatchObject({ cause: "server", basis: "experience" });
  });

  it("that is rejected for its number is about the logins", () => {
    for (const code of ["454 4.7.0", "421 4.7.0", "535 5.7.0"]) {
      const text = `${code} Too many login attempts, please try again later`;
      expect(classified(reply("authentication", text)), code).toMatchObject({ subject: "logins" });
    }
  });

  it("by a mechanism that the server does not support is about the mechanism", () => {
    expect(classified(reply("authentication", "504 5.5.4 unrecognized"))).toMatchObject({
      cause: "settings",
      subject: "mechanism",
    });
  });
});

describe("the hint", () => {
  it("belongs to the cause that was chosen", () => {
    const relay = reply("recipient", "550 <ada@example.org>: relaying denied");
    const [before, after] = [classified(relay), classified(relay, { others: true })];
    expect(before.hint).toMatch(/relay/);
    expect(after.hint).not.toMatch(/relay/);
  });
});
