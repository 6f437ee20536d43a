import { describe, expect, it } from "vitest";
import { namedAddresses, namesClient, ownWords } from "../../../src/smtp/replies/own-words.ts";

describe("ownWords", () => {
  it.each([
    ["drops the codes", "550 5.7.1 no", "no"],
    ["drops the address in front", "550 5.7.1 <ada@example.org>: Relay access denied", "Relay access denied"],
    [
      "drops the host in front",
      "554 5.7.1 <mx.example[192.0.2.9]>: Client host rejected",
      "Client host rejected",
    ],
    [
      "ends before another server's reply",
      "450 4.1.1 <x@y.example>: Recipient address rejected: unverified address: host mx.example[192.0.2.9] said: 530 5.7.0 Authentication required (in reply to RCPT TO command)",
      "Recipient address rejected: unverified address:",
    ],
    ["ends before said:", "451 4.0.0 mx.example said: 535 no", "mx.example"],
    ["ends before the command that it answers", "450 no (in reply to MAIL FROM command)", "no"],
    ["ends before a quotation mark", '550 5.7.1 policy "relay access denied"', "policy"],
    ["keeps an apostrophe", "550 You aren't permitted", "You aren't permitted"],
    [
      "ends with the line in which it quotes another server",
      "550-Callout failed: host mx[192.0.2.9] said:\r\n550 5.7.1 too many messages per session",
      "Callout failed:",
    ],
    [
      "ends before Response:",
      "550-Verification failed\r\n550-Response: 550 relaying denied",
      "Verification failed",
    ],
    [
      "reads each line of a reply",
      '550-5.7.1 <x@y.example>: first "quoted"\r\n550 5.7.1 second said: quoted',
      "first second",
    ],
  ])("%s", (_, reply, text) => {
    expect(ownWords(reply).text).toBe(text);
  });

  it("keeps the codes", () => {
    expect(ownWords('550 5.7.1 "quoted"')).toMatchObject({ code: 550, enhancedCode: "5.7.1", text: "" });
  });
});

describe("namedAddresses", () => {
  it.each([
    ["550 5.7.1 <Ada@Example.org>: no", ["ada@example.org"]],
    ["550 the address ada@example.org.", ["ada@example.org"]],
    ["550 (ada@example.org) may not write to bob@example.net", ["ada@example.org", "bob@example.net"]],
    ["450 4.1.1 <x@y.example>: host mx.example[192.0.2.9] said: 550 <bob@example.net>", ["x@y.example"]],
    ["550-5.1.1 <a@example.org>\r\n550 5.1.1 <a@example.org>", ["a@example.org", "a@example.org"]],
    ["550 5.7.1 no address", []],
  ])("of %s", (reply, addresses) => {
    expect(namedAddresses(reply)).toEqual(addresses);
  });
});

describe("namesClient", () => {
  it.each([
    ["554 5.7.1 <unknown[192.0.2.7]>: Client host rejected: Access denied", true],
    ["554 5.7.1 <mx.example[2001:db8::7]>: Client host rejected", true],
    ["554 5.7.1 <ada@[192.0.2.7]>: rejected", false],
    ["554 5.7.1 Client host [192.0.2.7] blocked", false],
  ])("of %s: %s", (reply, expected) => {
    expect(namesClient(reply)).toBe(expected);
  });
});
