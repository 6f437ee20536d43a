import { describe, expect, it } from "vitest";
import { arrivedAt, expectClosed, failureOf, stepsOf } from "../support/smtp/conversations.ts";
import { authenticated, takesMail } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";

describe("an address of another script (RFC 6531)", () => {
  it.each([
    ["sender", { from: "jörg@example.com" }, {}, "MAIL FROM:<jörg@example.com> SMTPUTF8"],
    ["recipient", {}, { to: "δοκιμή@example.org" }, "MAIL FROM:<sender@example.com> SMTPUTF8"],
  ])("of the %s is announced by SMTPUTF8 where the server offers it", async (_, settings, mail, command) => {
    const ordered = await scriptedServer([...authenticated("SMTPUTF8"), ...takesMail]);
    await stepsOf(ordered, settings, mail);
    expect((await ordered.findings()).lines).toContain(command);
  });

  it("arrives as it is", async () => {
    const ordered = await mailServer();
    await stepsOf(ordered, { from: "jörg@bücher.example" }, { to: "δοκιμή@παράδειγμα.example" });
    expect(await arrivedAt(ordered)).toMatchObject({
      mailFrom: expect.stringMatching(/^jörg@/),
      rcptTo: [expect.stringMatching(/^δοκιμή@/)],
    });
  });

  it.each([
    ["sender", { from: "jörg@example.com" }, {}],
    ["sender", { envelopeFrom: "jörg@example.com" }, {}],
    ["recipient", {}, { to: "δοκιμή@example.org" }],
  ])("of the %s fails clearly where the server lacks it: %j %j", async (stage, settings, mail) => {
    const ordered = await mailServer({ without: ["SMTPUTF8"] });
    expect(await failureOf(ordered, settings, mail)).toMatchObject({
      stage,
      message: `The SMTP server cannot take the ${stage}'s address, as it lacks SMTPUTF8.`,
      hint: expect.stringContaining("other letters than a-z before the @"),
    });
    expect((await ordered.findings()).mails).toEqual([]);
    await expectClosed(ordered);
  });

  it("is not announced where all addresses are ASCII", async () => {
    const ordered = await scriptedServer([...authenticated("SMTPUTF8"), ...takesMail]);
    await stepsOf(ordered);
    expect((await ordered.findings()).lines).toContain("MAIL FROM:<sender@example.com>");
  });

  it.each([
    ["from", { from: "jörg@example.com", envelopeFrom: "bounces@example.com" }],
    ["replyTo", { replyTo: "jörg@example.com" }],
  ])("in %s alone fails clearly where the server lacks it, as the header holds it", async (_, settings) => {
    const ordered = await mailServer({ without: ["SMTPUTF8"] });
    expect(await failureOf(ordered, settings)).toMatchObject({ stage: "sender" });
    expect((await ordered.findings()).mails).toEqual([]);
  });

  it.each([
    ["from", { from: "jörg@example.com", envelopeFrom: "bounces@example.com" }, "bounces@example.com"],
    ["replyTo", { replyTo: "jörg@example.com" }, "sender@example.com"],
  ])(
    "in %s alone is announced by SMTPUTF8 as well, as the header holds it",
    async (_, settings, mailFrom) => {
      const ordered = await scriptedServer([...authenticated("SMTPUTF8"), ...takesMail]);
      await stepsOf(ordered, settings);
      expect((await ordered.findings()).lines).toContain(`MAIL FROM:<${mailFrom}> SMTPUTF8`);
    },
  );
});
