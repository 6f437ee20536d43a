import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import {
  invalidField,
  jsonResponse,
  mandatoryFieldsMissing,
  nothingStored,
  saved,
} from "../support/responses.ts";
import { authenticated as acceptsLogin, replies } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";
import { receivedMail } from "../support/smtp/sessions.ts";
import { newSmtpTestClient } from "../support/smtp/smtp-test-client.ts";

const milliseconds = expect.any(Number);
const MASK = "**********";

const authenticated = [
  { stage: "connect", milliseconds },
  { stage: "greeting", milliseconds },
  { stage: "tls", tls: "STARTTLS", mechanisms: ["PLAIN", "LOGIN"], milliseconds },
  { stage: "authentication", mechanism: "PLAIN", milliseconds },
];

const withSender = [...authenticated, { stage: "sender", milliseconds }];

const sent = jsonResponse(200, "OK", "Mail Sent Successfully to the user", {
  steps: [
    ...withSender,
    { stage: "recipient", milliseconds },
    { stage: "message", reply: "Ok: queued as 4F7A1", milliseconds },
  ],
});

const probed = jsonResponse(200, "OK", "The SMTP server accepts these settings. No mail was sent.", {
  steps: [...withSender, { stage: "recipient", milliseconds }],
});

const smtpServerThatAcceptsProbes = [
  ...acceptsLogin(),
  ...replies("MAIL", "250 ok"),
  ...replies("RCPT", "250 ok"),
  ...replies("RSET", "250 ok"),
];

describe.concurrent.each(families)("A test of settings, $family,", (family) => {
  it("sends a mail with the stored settings to the caller, and changes nothing", async () => {
    const client = await newSmtpTestClient(family);
    const server = await mailServer();
    expect(await client.save(localSettings(server.port))).toEqual(saved);
    const before = await env.SMTP_SETTINGS.getWithMetadata(`smtp:${client.ada.tenant}`);
    expect(await client.test()).toEqual(sent);
    const mail = await receivedMail(server);
    expect(mail).toMatchObject({
      mailFrom: "sender@example.com",
      rcptTo: ["ada@example.com"],
      user: "postmaster",
      secure: true,
    });
    expect(mail.raw).toContain(`\r\nSubject: Email settings of ${client.ada.tenant}: it works\r\n`);
    expect(await env.SMTP_SETTINGS.getWithMetadata(`smtp:${client.ada.tenant}`)).toEqual(before);
  });

  it("sends no mail in mode probe", async () => {
    const client = await newSmtpTestClient(family);
    const server = await mailServer();
    await client.save(localSettings(server.port));
    expect(await client.test({ mode: "probe" })).toEqual(probed);
    expect((await server.state()).messages).toEqual([]);
  });

  // Otherwise a probe would reveal which recipients a server knows.
  it("rejects a recipient in mode probe, and does not connect", async () => {
    const client = await newSmtpTestClient(family);
    const server = await scriptedServer([]);
    await client.save(localSettings(server.port));
    const body = { mode: "probe", to: "grace@example.org" };
    for (const settings of [undefined, localSettings(server.port)]) {
      expect(await client.test({ ...body, settings })).toEqual(
        invalidField("to", "must be absent from a probe"),
      );
    }
    expect((await server.state()).connections).toBe(0);
  });

  it("uses the settings of the request without saving them", async () => {
    const client = await newSmtpTestClient(family);
    const server = await mailServer();
    expect(await client.test({ settings: localSettings(server.port) })).toEqual(sent);
    expect((await server.state()).messages).toHaveLength(1);
    expect(await client.ada.sealed()).toBeNull();
  });

  // test/settings/stored-password.test.ts has every part of a destination.
  it("does not send the stored password to another server", async () => {
    const client = await newSmtpTestClient(family);
    const [stored, other] = [await mailServer(), await scriptedServer([])];
    await client.save(localSettings(stored.port));
    const settings = localSettings(other.port, { password: MASK, user: "eve" });
    expect(await client.test({ settings })).toEqual(
      invalidField("settings.password", "must be sent again after a change of port, user"),
    );
    expect((await other.state()).connections).toBe(0);
  });

  it("responds 404 if nothing is stored", async () => {
    const client = await newSmtpTestClient(family);
    for (const body of [undefined, {}, { mode: "probe" }, { to: "grace@example.org" }]) {
      expect(await client.test(body)).toEqual(nothingStored);
    }
    expect(await client.ada.sealed()).toBeNull();
  });

  // test/settings/test-schema.test.ts has every rule.
  it("responds 400 to invalid fields, and does not connect", async () => {
    const client = await newSmtpTestClient(family);
    const server = await scriptedServer([]);
    await client.save(localSettings(server.port));
    expect(await client.test({ mode: "prob" })).toEqual(invalidField("mode", 'must be "send" or "probe"'));
    expect(await client.test({ settings: localSettings(server.port, { hots: "x" }) })).toMatchObject({
      httpStatus: 400,
      body: { status: "BAD_REQUEST", errors: [{ field: "settings.hots" }] },
    });
    expect(await client.test({ settings: { host: "smtp.example.net" } })).toEqual(mandatoryFieldsMissing);
    expect((await server.state()).connections).toBe(0);
  });
});

describe.concurrent("A test of settings", () => {
  it.each([
    ["a body of no bytes with a Content-Type", undefined, { "Content-Type": "application/json" }],
    ["a body of no bytes with another Content-Type", undefined, { "Content-Type": "text/plain" }],
    ["an empty stream", new Blob([]).stream(), { "Content-Type": "text/plain" }],
    ["an empty object", {}, {}],
    ["null in every field", { to: null, mode: null, settings: null }, {}],
    ["mode send", { mode: "send" }, {}],
  ])("sends a mail with the stored settings for %s", async (_, body, headers) => {
    const client = await newSmtpTestClient(families[0]);
    const server = await mailServer();
    await client.save(localSettings(server.port));
    expect(await client.test(body, { headers })).toEqual(sent);
    expect((await receivedMail(server)).rcptTo).toEqual(["ada@example.com"]);
  });

  it("sends the mail to the recipient in the request, with and without an email claim", async () => {
    const client = await newSmtpTestClient(families[0]);
    const withoutClaim = { token: await client.ada.realm.token() };
    for (const options of [{}, withoutClaim]) {
      const server = await mailServer();
      await client.save(localSettings(server.port));
      expect(await client.test({ to: "grace@example.org" }, options)).toEqual(sent);
      expect((await receivedMail(server)).rcptTo).toEqual(["grace@example.org"]);
    }
  });

  it.each([
    ["has no email claim", undefined],
    ["has an email claim that is no address", "not an address"],
    ["has an email claim with a line break", "ada@example.com\r\nRCPT TO:<eve@example.com>"],
  ])("requires a recipient if the token %s, and does not connect", async (_, email) => {
    const client = await newSmtpTestClient(families[0]);
    const server = await scriptedServer([]);
    await client.save(localSettings(server.port));
    const token = await client.ada.realm.token({ email });
    expect(await client.test(undefined, { token })).toEqual(
      invalidField("to", "is required, because the token has no valid email claim"),
    );
    expect((await server.state()).connections).toBe(0);
  });

  it.each([
    ["the caller's own address", { email: "ada@example.com" }, "ada@example.com"],
    ["from, without an email claim", {}, "sender@example.com"],
    ["from, with an email claim that is no address", { email: "a b" }, "sender@example.com"],
  ])("probes with %s as recipient", async (_, claims, recipient) => {
    const client = await newSmtpTestClient(families[0]);
    const server = await scriptedServer(smtpServerThatAcceptsProbes);
    await client.save(localSettings(server.port));
    const token = await client.ada.realm.token(claims);
    expect(await client.test({ mode: "probe" }, { token })).toMatchObject({ httpStatus: 200 });
    expect((await server.state()).lines).toContain(`RCPT TO:<${recipient}>`);
  });

  it("succeeds in mode probe if the server rejects only the recipient, and contains the reply", async () => {
    const client = await newSmtpTestClient(families[0]);
    const server = await mailServer({ reject: { recipient: "550 5.1.1 User unknown" } });
    await client.save(localSettings(server.port));
    const steps = [...withSender, { stage: "recipient", reply: "550 5.1.1 User unknown", milliseconds }];
    expect(await client.test({ mode: "probe" })).toMatchObject({ httpStatus: 200, body: { steps } });
  });

  it("uses the settings of the request instead of the stored ones, which stay unchanged", async () => {
    const client = await newSmtpTestClient(families[0]);
    const [stored, tested] = [await mailServer(), await mailServer()];
    await client.save(localSettings(stored.port));
    const before = await client.ada.sealed();
    expect(await client.test({ settings: localSettings(tested.port) })).toEqual(sent);
    expect((await tested.state()).messages).toHaveLength(1);
    expect((await stored.state()).messages).toEqual([]);
    expect(await client.ada.sealed()).toBe(before);
  });

  it("uses the stored password for the mask if destination and sender are the same", async () => {
    const client = await newSmtpTestClient(families[0]);
    const server = await mailServer();
    await client.save(localSettings(server.port));
    expect(await client.test({ settings: localSettings(server.port, { password: MASK }) })).toEqual(sent);
    expect((await receivedMail(server)).user).toBe("postmaster");
  });

  it("does not send with the stored password as another sender", async () => {
    const client = await newSmtpTestClient(families[0]);
    const server = await scriptedServer([]);
    await client.save(localSettings(server.port));
    const settings = localSettings(server.port, { password: MASK, from: "other@example.com" });
    expect(await client.test({ settings })).toEqual(
      invalidField("settings.password", "must be sent again after a change of from"),
    );
    expect((await server.state()).connections).toBe(0);
  });

  it("rejects the mask if nothing is stored", async () => {
    const client = await newSmtpTestClient(families[0]);
    const server = await scriptedServer([]);
    const settings = localSettings(server.port, { password: MASK });
    expect(await client.test({ settings })).toEqual(
      invalidField("settings.password", "is not stored, so it cannot be kept: send it"),
    );
    expect((await server.state()).connections).toBe(0);
  });
});
