import { describe, expect, it } from "vitest";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { captureLogEntry } from "../support/log.ts";
import { invalidField, saved } from "../support/responses.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";
import { receivedMail } from "../support/smtp/sessions.ts";
import { newSmtpTestClient } from "../support/smtp/smtp-test-client.ts";

const MASK = "**********";

const sender = {
  from: "sender@example.com",
  fromDisplayName: "Sender",
  replyTo: "reply@example.com",
  replyToDisplayName: "Reply",
  envelopeFrom: "bounce@example.com",
};

// test/settings/stored-password.test.ts has every change of a sender and of a destination.
describe.concurrent.each(families)("a test with the stored password, $family", (family) => {
  it.each(Object.keys(sender))("contacts nobody for another %s", async (name) => {
    const client = await newSmtpTestClient(family);
    const server = await scriptedServer([]);
    expect(await client.save(localSettings(server.port, sender))).toEqual(saved);
    const settings = localSettings(server.port, { ...sender, password: MASK, [name]: "eve@example.com" });
    expect(await client.test({ to: "grace@example.org", settings })).toEqual(
      invalidField("settings.password", `must be sent again after a change of ${name}`),
    );
    expect((await server.state()).connections).toBe(0);
  });

  it("sends a mail of the stored sender", async () => {
    const client = await newSmtpTestClient(family);
    const server = await mailServer();
    await client.save(localSettings(server.port, sender));
    const settings = localSettings(server.port, { ...sender, password: MASK });
    expect((await client.test({ settings })).httpStatus).toBe(200);
    expect(await receivedMail(server)).toMatchObject({ mailFrom: "bounce@example.com", user: "postmaster" });
  });
});

describe.concurrent("a test of settings", () => {
  const [family] = families;

  it("may have another sender if the request has the password", async () => {
    const client = await newSmtpTestClient(family);
    const server = await mailServer();
    await client.save(localSettings(server.port));
    const settings = localSettings(server.port, { from: "other@example.com" });
    expect((await client.test({ settings })).httpStatus).toBe(200);
    expect(await receivedMail(server)).toMatchObject({ mailFrom: "other@example.com" });
  });

  it("sends a mail that asks for no automatic reply, dated now", async () => {
    const client = await newSmtpTestClient(family);
    const server = await mailServer();
    // In seconds, as in the field.
    const before = Math.floor(Date.now() / 1_000) * 1_000;
    expect((await client.test({ settings: localSettings(server.port) })).httpStatus).toBe(200);
    const { raw } = await receivedMail(server);
    expect(raw.split("\r\n")).toEqual(
      expect.arrayContaining(["Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: OOF, AutoReply"]),
    );
    const date = Date.parse(/^Date: (.*)\r$/m.exec(raw)?.[1] ?? "");
    expect(date).toBeGreaterThanOrEqual(before);
    expect(date).toBeLessThanOrEqual(Date.now());
  });

  it("uses a sender that was saved before, with the stored password", async () => {
    const client = await newSmtpTestClient(family);
    const server = await mailServer();
    await client.save(localSettings(server.port));
    const settings = localSettings(server.port, { password: MASK, from: "other@example.com" });
    expect(await client.save(settings)).toEqual(saved);
    expect((await client.test({ settings })).httpStatus).toBe(200);
    expect(await receivedMail(server)).toMatchObject({ mailFrom: "other@example.com" });
  });

  it("contacts nobody for a display name with a bidirectional override", async () => {
    const client = await newSmtpTestClient(family);
    const server = await scriptedServer([]);
    const settings = localSettings(server.port, { fromDisplayName: "\u202emoc.elpmaxe@oec" });
    expect(await client.test({ settings })).toEqual(
      invalidField("settings.fromDisplayName", "must not contain invisible characters"),
    );
    expect((await server.state()).connections).toBe(0);
  });
});

describe("the log entry of a test", () => {
  const [{ address, testAddress }] = families;
  const env = { ALLOW_PRIVATE_HOSTS: "true" };

  it.each([
    ["a passed test", 200, {}],
    ["a failed test", 502, { user: "guessed-user", password: "guessed-password" }],
  ])(
    "names host, port, recipient and source of %s, without user and password",
    async (_, status, changes) => {
      const { ada } = await newSmtpTestClient(families[0]);
      const { port } = await mailServer();
      const body = { to: "grace@example.org", settings: localSettings(port, changes) };
      const { entry, line } = await captureLogEntry(() =>
        call(testAddress(ada.tenant), { token: ada.token, body, env }),
      );
      expect(entry).toMatchObject({
        status,
        test: { host: "localhost", port, to: "grace@example.org", settings: "sent" },
      });
      expect(line).not.toMatch(/guessed|postmaster|correct horse/);
    },
  );

  it("names the stored settings as such", async () => {
    const client = await newSmtpTestClient(families[0]);
    const { port } = await mailServer();
    await client.save(localSettings(port));
    const { entry } = await captureLogEntry(() =>
      call(client.testUrl, { token: client.ada.token, body: { mode: "probe" }, env }),
    );
    expect(entry.test).toEqual({ host: "localhost", port, settings: "stored" });
  });

  it.each([
    ["passes", 200, {}],
    ["fails", 502, { user: "guessed-user", password: "guessed-password" }],
  ])("names what a save with verify=true contacted if it %s", async (_, status, changes) => {
    const { ada } = await newSmtpTestClient(families[0]);
    const { port } = await mailServer();
    const { entry, line } = await captureLogEntry(() =>
      call(`${address(ada.tenant)}?verify=true`, {
        token: ada.token,
        body: localSettings(port, changes),
        env,
      }),
    );
    expect(entry).toMatchObject({ status, test: { host: "localhost", port, settings: "sent" } });
    expect(line).not.toMatch(/guessed|postmaster|correct horse/);
  });

  it("is absent from a request that contacts nobody", async () => {
    const { ada } = await newSmtpTestClient(families[0]);
    const { entry } = await captureLogEntry(() =>
      ada.send({ body: localSettings(1, { host: "smtp.example.net" }) }),
    );
    expect(entry).toMatchObject({ status: 200 });
    expect(entry).not.toHaveProperty("test");
  });
});
