import { describe, expect, it } from "vitest";
import { arrivedAt, expectClosed, failureOf, stepsOf } from "../support/smtp/conversations.ts";
import { replies, secured, takesMail } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";

describe("authentication", () => {
  it.each(["PLAIN", "LOGIN", "CRAM-MD5"])("works by %s", async (mechanism) => {
    const ordered = await mailServer({ mechanisms: [mechanism] });
    const step = { stage: "authentication", mechanism, milliseconds: expect.any(Number) };
    expect(await stepsOf(ordered)).toContainEqual(step);
    expect(await arrivedAt(ordered)).toMatchObject({ user: "postmaster", mechanism, secure: true });
    await expectClosed(ordered);
  });

  it.each([
    [["CRAM-MD5", "LOGIN", "PLAIN"], "PLAIN"],
    [["CRAM-MD5", "LOGIN"], "LOGIN"],
    [["XOAUTH2", "CRAM-MD5"], "CRAM-MD5"],
  ])("chooses of %j %s, whatever the server's order", async (mechanisms, mechanism) => {
    const ordered = await mailServer({ mechanisms });
    await stepsOf(ordered);
    expect((await arrivedAt(ordered)).mechanism).toBe(mechanism);
  });

  it("knows mechanisms in the form of before RFC 2554, and in lower case", async () => {
    const ordered = await scriptedServer([
      ...secured("auth=login"),
      ...replies("AUTH LOGIN", "334 VXNlcm5hbWU6"),
      ...replies("cG9zdG1hc3Rlcg==", "334 UGFzc3dvcmQ6"),
      ...replies("Y29ycmVjdCBob3JzZQ==", "235 ok"),
      ...takesMail,
    ]);
    const step = { stage: "authentication", mechanism: "LOGIN", milliseconds: expect.any(Number) };
    expect(await stepsOf(ordered)).toContainEqual(step);
    expect((await ordered.findings()).lines).toContain("MAIL FROM:<sender@example.com>");
  });

  it("carries user and password in UTF-8", async () => {
    const ordered = await scriptedServer([
      ...secured("AUTH PLAIN"),
      ...replies("AUTH", "235 ok"),
      ...takesMail,
    ]);
    await stepsOf(ordered, { user: "jörg", password: "pässwörd €" });
    const line = (await ordered.findings()).lines.find((text) => text.startsWith("AUTH PLAIN "));
    expect(Buffer.from(line?.slice(11) ?? "", "base64").toString("utf8")).toBe("\0jörg\0pässwörd €");
  });

  it.each([
    ["auth is false", { auth: false }],
    ["there is no user", { user: undefined, password: undefined }],
    ["there is no password", { password: undefined }],
  ])("is left out where %s, though the server offers it", async (_, changes) => {
    const ordered = await scriptedServer([...secured("AUTH PLAIN"), ...takesMail]);
    const stages = (await stepsOf(ordered, changes)).map(({ stage }) => stage);
    expect(stages).toEqual(["connect", "greeting", "tls", "sender", "recipient", "message"]);
    expect((await ordered.findings()).lines.join("\n")).not.toMatch(/AUTH|cG9zdG1hc3Rlcg/);
    await expectClosed(ordered);
  });

  it.each([
    ["no AUTH", []],
    ["no mechanism that takes a password", ["AUTH GSSAPI XOAUTH2 NTLM"]],
    ["a mechanism of a longer name", ["AUTH PLAIN-CLIENTTOKEN XPLAIN"]],
    ["an extension that only looks so", ["XAUTH PLAIN", "AUTHX PLAIN", "HELP AUTH PLAIN"]],
  ])("fails where the server offers %s, before anything of it is sent", async (_, extensions) => {
    const ordered = await scriptedServer([...secured(...extensions), { hang: true }]);
    expect(await failureOf(ordered)).toMatchObject({
      stage: "authentication",
      message: "The SMTP server does not offer to check a user and password.",
      hint: expect.stringContaining("offers no AUTH"),
    });
    expect((await ordered.findings()).lines.join("\n")).not.toMatch(/AUTH|MAIL/);
    await expectClosed(ordered);
  });

  it.each(["PLAIN", "LOGIN", "CRAM-MD5"])(
    "by %s with a wrong password tells the server's reply",
    async (mechanism) => {
      const ordered = await mailServer({ mechanisms: [mechanism] });
      expect(await failureOf(ordered, { password: "wrong" })).toMatchObject({
        stage: "authentication",
        smtpCode: 535,
        message: "The SMTP server refused user and password.",
      });
      expect((await ordered.findings()).mails).toEqual([]);
      await expectClosed(ordered);
    },
  );
});
