import { describe, expect, it } from "vitest";
import { composeMessage } from "../../src/mail/message.ts";
import { settingsSchema, testSchema } from "../../src/settings/schema.ts";
import { SmtpSession } from "../../src/smtp/session.ts";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { acceptsMail, authenticated } from "../support/smtp/scripts.ts";
import { scriptedServer } from "../support/smtp/servers.ts";
import { expectClosed, sampleMail } from "../support/smtp/sessions.ts";
import { newSmtpTestClient } from "../support/smtp/smtp-test-client.ts";

const controls = ["\r\n", "\r", "\n", "\0"];
const injections = controls.map((control) => `${control}Bcc: eve@example.com`);

const fields = [
  ["host", (injection: string) => ({ host: `localhost${injection}` })],
  ["from", (injection: string) => ({ from: `a@example.com>${injection}` })],
  ["envelopeFrom", (injection: string) => ({ envelopeFrom: `a@example.com>${injection}` })],
  ["replyTo", (injection: string) => ({ replyTo: `a@example.com${injection}` })],
  ["fromDisplayName", (injection: string) => ({ fromDisplayName: `Ada${injection}` })],
  [
    "replyToDisplayName",
    (injection: string) => ({ replyTo: "a@example.com", replyToDisplayName: `Ada${injection}` }),
  ],
  ["user", (injection: string) => ({ user: `postmaster${injection}` })],
  ["password", (injection: string) => ({ password: `secret${injection}` })],
] as const;

/** The paths of the fields that a schema rejects. */
function rejectedFields(schema: typeof settingsSchema | typeof testSchema, body: unknown): string[] {
  return (schema.safeParse(body).error?.issues ?? []).map(({ path }) => path.join("."));
}

describe("Line breaks and NUL", () => {
  it.each(fields)("are rejected in %s", (field, changes) => {
    for (const injection of injections) {
      const settings = localSettings(587, changes(injection));
      expect(rejectedFields(settingsSchema, settings)).toEqual([field]);
      expect(rejectedFields(testSchema, { settings })).toEqual([`settings.${field}`]);
    }
  });

  it("are rejected in the recipient of a test", () => {
    for (const injection of injections) {
      expect(rejectedFields(testSchema, { to: `a@example.com${injection}` })).toEqual(["to"]);
    }
  });

  it.each(families)("are rejected before the Worker connects, $family", async (family) => {
    const client = await newSmtpTestClient(family);
    const server = await scriptedServer([]);
    const settings = localSettings(server.port);
    const injected = { ...settings, fromDisplayName: "Ada\r\nBcc: eve@example.com" };
    expect(await client.save(injected, "?verify=true")).toMatchObject({
      httpStatus: 400,
      body: { errors: [{ field: "fromDisplayName" }] },
    });
    expect(await client.test({ settings: injected })).toMatchObject({
      httpStatus: 400,
      body: { errors: [{ field: "settings.fromDisplayName" }] },
    });
    expect(await client.test({ settings, to: "a@example.com\r\nBcc: eve@example.com" })).toMatchObject({
      httpStatus: 400,
      body: { errors: [{ field: "to" }] },
    });
    expect((await server.state()).connections).toBe(0);
    expect(await client.ada.sealed()).toBeNull();
  });
});

describe("SMTP session", () => {
  const injectedAddresses = [
    ...controls.map((control) => `reader@example.org${control}RCPT TO:eve@example.com`),
    "reader@example.org>RCPT TO:eve@example.com",
    "<reader@example.org",
  ];

  it.each(["from", "to"])("rejects an address in %s that would inject a command", async (member) => {
    for (const address of injectedAddresses) {
      const server = await scriptedServer([...authenticated("SMTPUTF8"), ...acceptsMail]);
      const session = new SmtpSession(settingsSchema.parse(localSettings(server.port)), {
        clientName: "mail.example.com",
        allowPrivateHosts: true,
      });
      const message = composeMessage({ from: "sender@example.com" }, sampleMail);
      const envelope = { ...message.envelope, [member]: address };
      expect((await session.open()).ok).toBe(true);
      await expect(session.send({ ...message, envelope })).rejects.toThrow("control character or angle");
      await expectClosed(server);
      expect((await server.state()).lines.join("\n")).not.toMatch(/MAIL|RCPT|eve@/);
    }
  });
});
