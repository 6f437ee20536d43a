import { describe, expect, it } from "vitest";
import { greets, offers, replies } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";
import { diagnosisOf, expectClosed, receivedMail, stepsOf } from "../support/smtp/sessions.ts";

const milliseconds = expect.any(Number);
const anonymous = { user: undefined, password: undefined };
const untrusted = ["selfSigned", "otherName"] as const;

describe.concurrent("SMTP session over TLS", () => {
  it.each([
    ["implicit TLS", { implicitTls: true }, { ssl: true }, "implicit"],
    [
      "implicit TLS if starttls is set as well",
      { implicitTls: true },
      { ssl: true, starttls: true },
      "implicit",
    ],
    ["STARTTLS if required", {}, { starttls: true }, "STARTTLS"],
    ["STARTTLS if only offered", {}, { starttls: false }, "STARTTLS"],
  ])("uses %s", async (_, serverSettings, settings, tls) => {
    const server = await mailServer(serverSettings);
    expect(await stepsOf(server, { settings })).toContainEqual({ stage: "tls", tls, milliseconds });
    expect((await receivedMail(server)).secure).toBe(true);
    await expectClosed(server);
  });

  it.each([
    ["implicit TLS", { implicitTls: true }, { ssl: true }, ["connect", "tls", "greeting"]],
    ["STARTTLS", {}, {}, ["connect", "greeting", "tls"]],
  ])("reports the stages in the order of the wire with %s", async (_, serverSettings, settings, first) => {
    const steps = await stepsOf(await mailServer(serverSettings), { settings });
    expect(steps.map(({ stage }) => stage)).toEqual([
      ...first,
      ...["authentication", "sender", "recipient", "message"],
    ]);
    for (const step of steps) expect(step.milliseconds).toBeGreaterThanOrEqual(0);
  });

  it("stays unencrypted without credentials if STARTTLS is neither required nor offered", async () => {
    const server = await mailServer({ mechanisms: [], without: ["STARTTLS"] });
    const steps = await stepsOf(server, { settings: { ...anonymous, starttls: false } });
    expect(steps).toContainEqual({ stage: "tls", tls: "none", milliseconds });
    const mail = await receivedMail(server);
    expect(mail.secure).toBe(false);
    expect(mail).not.toHaveProperty("user");
    await expectClosed(server);
  });

  it("sends nothing without required STARTTLS, even without credentials", async () => {
    const server = await scriptedServer([
      ...greets,
      ...offers(),
      ...replies("STARTTLS", "502 5.5.1 not here"),
      ...replies("MAIL", "250 ok"),
    ]);
    expect(await diagnosisOf(server, { settings: anonymous })).toMatchObject({
      stage: "tls",
      message: "STARTTLS is required, but the SMTP server does not offer it.",
    });
    expect((await server.state()).lines).toEqual(["EHLO mail.example.com", "STARTTLS"]);
    await expectClosed(server);
  });
});

describe.concurrent("SMTP session with an untrusted certificate", () => {
  it.each(untrusted)(
    "ends during STARTTLS, and suggests the certificate as cause (%s)",
    async (certificate) => {
      const server = await mailServer({}, certificate);
      const diagnosis = await diagnosisOf(server);
      expect(diagnosis).toMatchObject({
        stage: "tls",
        message: "The SMTP server accepted STARTTLS, but the TLS handshake failed.",
        hint: expect.stringContaining("certificate may not be trusted"),
      });
      expect(diagnosis.steps.map(({ stage }) => stage)).toEqual(["connect", "greeting"]);
      expect((await server.state()).mails).toEqual([]);
      await expectClosed(server);
    },
  );

  it.each(untrusted)(
    "does not continue in clear text if STARTTLS is only offered (%s)",
    async (certificate) => {
      const server = await mailServer({ mechanisms: [] }, certificate);
      const diagnosis = await diagnosisOf(server, { settings: { ...anonymous, starttls: false } });
      expect(diagnosis).toMatchObject({ stage: "tls" });
      expect((await server.state()).mails).toEqual([]);
      await expectClosed(server);
    },
  );

  it.each(untrusted)(
    "ends during implicit TLS, and suggests the certificate as cause (%s)",
    async (certificate) => {
      const server = await mailServer({ implicitTls: true }, certificate);
      expect(await diagnosisOf(server, { settings: { ssl: true } })).toEqual({
        stage: "connect",
        message: "The SMTP server could not be reached.",
        hint: expect.stringContaining("certificate may also be the cause"),
        steps: [],
      });
      expect((await server.state()).mails).toEqual([]);
      await expectClosed(server);
    },
  );
});
