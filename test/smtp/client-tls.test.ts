import { describe, expect, it } from "vitest";
import { arrivedAt, expectClosed, failureOf, stepsOf } from "../support/smtp/conversations.ts";
import { greets, offers, replies, takesMail } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";

const anonymous = { user: undefined, password: undefined };

describe("a conversation with a mail server", () => {
  it.each([
    ["implicit TLS", { implicitTls: true }, { ssl: true }, "implicit"],
    [
      "implicit TLS, starttls being set as well",
      { implicitTls: true },
      { ssl: true, starttls: true },
      "implicit",
    ],
    ["STARTTLS where it is required", {}, { starttls: true }, "STARTTLS"],
    ["STARTTLS where it is merely offered", {}, { starttls: false }, "STARTTLS"],
  ])("is encrypted by %s", async (_, server, settings, tls) => {
    const ordered = await mailServer(server);
    const steps = await stepsOf(ordered, settings);
    expect(steps).toContainEqual({ stage: "tls", tls, milliseconds: expect.any(Number) });
    expect((await arrivedAt(ordered)).secure).toBe(true);
    await expectClosed(ordered);
  });

  it.each([
    ["implicit TLS", { implicitTls: true }, { ssl: true }, ["connect", "tls", "greeting"]],
    ["STARTTLS", {}, {}, ["connect", "greeting", "tls"]],
  ])("passes its stages in the order of the wire with %s", async (_, server, settings, beginning) => {
    const steps = await stepsOf(await mailServer(server), settings);
    expect(steps.map(({ stage }) => stage)).toEqual([
      ...beginning,
      ...["authentication", "sender", "recipient", "message"],
    ]);
    for (const { milliseconds } of steps) expect(milliseconds).toBeGreaterThanOrEqual(0);
  });

  it("goes unencrypted where STARTTLS is neither required nor offered, and there are no credentials", async () => {
    const ordered = await mailServer({ mechanisms: [], without: ["STARTTLS"] });
    const steps = await stepsOf(ordered, { ...anonymous, starttls: false });
    expect(steps).toContainEqual({ stage: "tls", tls: "none", milliseconds: expect.any(Number) });
    const mail = await arrivedAt(ordered);
    expect(mail.secure).toBe(false);
    expect(mail).not.toHaveProperty("user");
    await expectClosed(ordered);
  });

  it("sends nothing where STARTTLS is required and not offered, even without credentials", async () => {
    const refusal = "502 5.5.1 not here";
    const ordered = await scriptedServer([
      ...greets,
      ...offers(),
      ...replies("STARTTLS", refusal),
      ...takesMail,
    ]);
    expect(await failureOf(ordered, anonymous)).toMatchObject({
      stage: "tls",
      message: "STARTTLS is required, but the SMTP server does not offer it.",
    });
    expect((await ordered.findings()).lines).toEqual(["EHLO mail.example.com", "STARTTLS"]);
    await expectClosed(ordered);
  });
});

describe("a certificate that is not to be trusted", () => {
  it.each(["selfSigned", "otherName"] as const)(
    "(%s) ends STARTTLS, with the possibility told",
    async (certificate) => {
      const ordered = await mailServer({}, certificate);
      const diagnosis = await failureOf(ordered);
      expect(diagnosis).toMatchObject({
        stage: "tls",
        message: "The SMTP server agreed to STARTTLS, but no TLS connection came about.",
        hint: expect.stringContaining("certificate may not be one to trust"),
      });
      expect(diagnosis.steps.map(({ stage }) => stage)).toEqual(["connect", "greeting"]);
      expect((await ordered.findings()).mails).toEqual([]);
      await expectClosed(ordered);
    },
  );

  it.each(["selfSigned", "otherName"] as const)(
    "(%s) ends STARTTLS that is merely offered: nothing goes on in clear",
    async (certificate) => {
      const ordered = await mailServer({ mechanisms: [] }, certificate);
      const diagnosis = await failureOf(ordered, { ...anonymous, starttls: false });
      expect(diagnosis).toMatchObject({ stage: "tls" });
      expect((await ordered.findings()).mails).toEqual([]);
      await expectClosed(ordered);
    },
  );

  it.each(["selfSigned", "otherName"] as const)(
    "(%s) ends implicit TLS, with the possibility told",
    async (certificate) => {
      const ordered = await mailServer({ implicitTls: true }, certificate);
      expect(await failureOf(ordered, { ssl: true })).toEqual({
        stage: "connect",
        message: "No connection to the SMTP server could be made.",
        hint: expect.stringContaining("may also be the server's certificate"),
        steps: [],
      });
      expect((await ordered.findings()).mails).toEqual([]);
      await expectClosed(ordered);
    },
  );
});
