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
    const steps = await stepsOf(server, { settings });
    expect(steps.find(({ stage }) => stage === "tls")).toMatchObject({ tls });
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
      "authentication",
      "sender",
      "recipient",
      "message",
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

describe.concurrent("SMTP session that the server ends after the TLS handshake", () => {
  const startsTls = [
    ...greets,
    ...offers("STARTTLS"),
    ...replies("STARTTLS", "220 2.0.0 go ahead"),
    { startTls: true as const },
  ];

  // Under TLS 1.3, a server that demands a client certificate does so after the handshake.
  it("reports that the session ended, and not that TLS failed", async () => {
    const server = await scriptedServer([...startsTls, { expect: "EHLO" }, { close: true }]);
    const diagnosis = await diagnosisOf(server);
    expect(diagnosis).toMatchObject({
      stage: "authentication",
      message: "The SMTP server ended the session right after the TLS handshake.",
      hint: expect.stringContaining("may require a client certificate"),
    });
    expect(diagnosis.steps.map(({ stage }) => stage)).toEqual(["connect", "greeting", "tls"]);
  });

  it("reports the reply, if there is one", async () => {
    const reply = "421 4.7.1 mx.example.net Error: No client certificate presented";
    const server = await scriptedServer([...startsTls, ...replies("EHLO", reply), { close: true }]);
    expect(await diagnosisOf(server)).toMatchObject({
      stage: "authentication",
      message: "The SMTP server ended the session right after the TLS handshake.",
      smtpCode: 421,
      reply: "mx.example.net Error: No client certificate presented",
    });
  });

  it("reports an invalid reply as such", async () => {
    const server = await scriptedServer([...startsTls, ...replies("EHLO", "what?"), { hang: true }]);
    expect(await diagnosisOf(server)).toMatchObject({
      stage: "authentication",
      message: "The SMTP server sent an invalid reply while handling the user and password.",
    });
  });

  it("reports a connection that closes later as closed", async () => {
    const server = await scriptedServer([...startsTls, ...offers("AUTH PLAIN"), { close: true }]);
    expect(await diagnosisOf(server)).toMatchObject({
      stage: "authentication",
      message: "The SMTP server closed the connection while handling the user and password.",
    });
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
        hint: expect.stringContaining("certificate (self-signed"),
      });
      expect(diagnosis.steps.map(({ stage }) => stage)).toEqual(["connect", "greeting"]);
      expect((await server.state()).messages).toEqual([]);
      await expectClosed(server);
    },
  );

  it.each(untrusted)(
    "does not continue in clear text if STARTTLS is only offered (%s)",
    async (certificate) => {
      const server = await mailServer({ mechanisms: [] }, certificate);
      const diagnosis = await diagnosisOf(server, { settings: { ...anonymous, starttls: false } });
      expect(diagnosis).toMatchObject({ stage: "tls" });
      expect((await server.state()).messages).toEqual([]);
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
        hint: expect.stringContaining("certificate (self-signed"),
        steps: [],
      });
      expect((await server.state()).messages).toEqual([]);
      await expectClosed(server);
    },
  );
});
