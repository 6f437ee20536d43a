import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { answer, invalidField, mandatoryMissing, nothingStored, saved } from "../support/answers.ts";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { arrivedAt } from "../support/smtp/conversations.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";
import { newTester, type Tester } from "../support/smtp/tester.ts";

const milliseconds = expect.any(Number);

/** The answer to a mail that was taken after STARTTLS and AUTH PLAIN. */
const sent = answer(200, "OK", "Mail Sent Successfully to the user", {
  steps: [
    { stage: "connect", milliseconds },
    { stage: "greeting", milliseconds },
    { stage: "tls", tls: "STARTTLS", milliseconds },
    { stage: "authentication", mechanism: "PLAIN", milliseconds },
    { stage: "sender", milliseconds },
    { stage: "recipient", milliseconds },
    { stage: "message", reply: "Ok: queued as 4F7A1", milliseconds },
  ],
});

const probed = answer(200, "OK", "The SMTP server accepts these settings. No mail was sent.", {
  steps: [
    { stage: "connect", milliseconds },
    { stage: "greeting", milliseconds },
    { stage: "tls", tls: "STARTTLS", milliseconds },
    { stage: "authentication", mechanism: "PLAIN", milliseconds },
  ],
});

describe.each(families)("testing settings, $family", (family) => {
  let tester: Tester;
  beforeEach(async () => {
    tester = await newTester(family);
  });

  it.each([
    ["no body", undefined, {}],
    ["no body, though a Content-Type", undefined, { "Content-Type": "application/json" }],
    ["no body, and a Content-Type of something else", undefined, { "Content-Type": "text/plain" }],
    ["a stream without a byte", new Blob([]).stream(), { "Content-Type": "text/plain" }],
    ["an empty object", {}, {}],
    ["nulls only", { to: null, mode: null, settings: null }, {}],
    ["mode send", { mode: "send" }, {}],
  ])("sends a mail with the stored settings to the caller for %s", async (_, body, headers) => {
    const server = await mailServer();
    await tester.save(localSettings(server.port));
    expect(await tester.test(body, { headers })).toEqual(sent);
    expect(await arrivedAt(server)).toMatchObject({
      mailFrom: "sender@example.com",
      rcptTo: ["ada@example.com"],
      user: "postmaster",
      secure: true,
    });
  });

  it("sends a mail that says of which tenant it is", async () => {
    const server = await mailServer();
    await tester.save(localSettings(server.port));
    expect(await tester.test()).toEqual(sent);
    const { raw } = await arrivedAt(server);
    expect(raw).toContain(`\r\nSubject: Email settings of ${tester.ada.tenant}: it works\r\n`);
  });

  it("sends it to another address where `to` says so", async () => {
    const server = await mailServer();
    await tester.save(localSettings(server.port));
    expect(await tester.test({ to: "grace@example.org" })).toEqual(sent);
    expect((await arrivedAt(server)).rcptTo).toEqual(["grace@example.org"]);
  });

  it.each([
    ["has no email claim", undefined],
    ["has an email claim that is no address", "not an address"],
    ["has an email claim with a line break", "ada@example.com\r\nRCPT TO:<eve@example.com>"],
  ])("says that `to` is needed where the token %s, and dials nobody", async (_, email) => {
    const server = await scriptedServer([]);
    await tester.save(localSettings(server.port));
    const token = await tester.ada.realm.token({ email });
    expect(await tester.test(undefined, { token })).toEqual(
      invalidField("to", "must be given, as the token has no email claim that the test can go to"),
    );
    expect((await server.findings()).connections).toBe(0);
  });

  it("sends to `to` though the token has no email claim", async () => {
    const server = await mailServer();
    await tester.save(localSettings(server.port));
    const token = await tester.ada.realm.token();
    expect(await tester.test({ to: "grace@example.org" }, { token })).toEqual(sent);
    expect((await arrivedAt(server)).rcptTo).toEqual(["grace@example.org"]);
  });

  it("probes without sending anything, and says so", async () => {
    const server = await mailServer();
    await tester.save(localSettings(server.port));
    expect(await tester.test({ mode: "probe" })).toEqual(probed);
    expect((await server.findings()).mails).toEqual([]);
  });

  it("probes though the token has no email claim", async () => {
    const server = await mailServer();
    await tester.save(localSettings(server.port));
    const token = await tester.ada.realm.token();
    expect(await tester.test({ mode: "probe" }, { token })).toEqual(probed);
    expect((await server.findings()).mails).toEqual([]);
  });

  it("tries settings without saving them, where nothing is stored", async () => {
    const server = await mailServer();
    expect(await tester.test({ settings: localSettings(server.port) })).toEqual(sent);
    expect((await server.findings()).mails).toHaveLength(1);
    expect(await tester.ada.sealed()).toBeNull();
  });

  it("tries settings in place of the stored ones, which stay as they are", async () => {
    const [stored, tried] = [await mailServer(), await mailServer()];
    await tester.save(localSettings(stored.port));
    const before = await tester.ada.sealed();
    expect(await tester.test({ settings: localSettings(tried.port) })).toEqual(sent);
    expect((await tried.findings()).mails).toHaveLength(1);
    expect((await stored.findings()).mails).toEqual([]);
    expect(await tester.ada.sealed()).toBe(before);
  });

  it("takes the stored password for the mask, towards the same destination", async () => {
    const server = await mailServer();
    await tester.save(localSettings(server.port));
    const settings = localSettings(server.port, { password: "**********", from: "other@example.com" });
    expect(await tester.test({ settings })).toEqual(sent);
    expect(await arrivedAt(server)).toMatchObject({ mailFrom: "other@example.com", user: "postmaster" });
  });

  it.each([
    ["port", (port: number) => localSettings(port, { password: "**********" })],
    ["host, port", (port: number) => localSettings(port, { password: "**********", host: "127.0.0.1" })],
    ["port, user", (port: number) => localSettings(port, { password: "**********", user: "eve" })],
    ["port, TLS mode", (port: number) => localSettings(port, { password: "**********", starttls: false })],
  ])("does not hand the stored password to another %s", async (changed, settingsFor) => {
    const [stored, other] = [await mailServer(), await scriptedServer([])];
    await tester.save(localSettings(stored.port));
    expect(await tester.test({ settings: settingsFor(other.port) })).toEqual(
      invalidField("settings.password", `must be sent again, as it belongs to another ${changed}`),
    );
    expect((await other.findings()).connections).toBe(0);
  });

  it("refuses the mask where nothing is stored", async () => {
    const server = await scriptedServer([]);
    const settings = localSettings(server.port, { password: "**********" });
    expect(await tester.test({ settings })).toEqual(
      invalidField("settings.password", "is not stored, so it cannot be kept: send it"),
    );
    expect((await server.findings()).connections).toBe(0);
  });

  it.each([[undefined], [{}], [{ mode: "probe" }], [{ to: "grace@example.org" }]])(
    "is a 404 where nothing is stored and %j brings no settings",
    async (body) => {
      expect(await tester.test(body)).toEqual(nothingStored);
      expect(await tester.ada.sealed()).toBeNull();
    },
  );

  it("says that host and from are mandatory in settings to try", async () => {
    expect(await tester.test({ settings: { host: "smtp.example.net" } })).toEqual(mandatoryMissing);
    expect(await tester.ada.sealed()).toBeNull();
  });

  it.each([
    ["mode", { mode: "prob" }, 'must be "send" or "probe"'],
    ["to", { to: "nobody" }, 'must be an email address such as "sender@example.com"'],
    ["to", { to: "a@example.com,b@example.com" }, 'must be an email address such as "sender@example.com"'],
    ["to", { to: ["a@example.com"] }, "must be a string"],
    ["mod", { mod: "probe" }, "is not a known field; these are: to, mode, settings"],
    ["body", null, "must be an object"],
    ["body", [], "must be an object"],
  ])("names the field %s of %j, and dials nobody", async (field, body, message) => {
    const server = await scriptedServer([]);
    await tester.save(localSettings(server.port));
    expect(await tester.test(body)).toEqual(invalidField(field, message));
    expect((await server.findings()).connections).toBe(0);
  });

  it("names an unknown field of settings to try by its path", async () => {
    const settings = localSettings(2525, { hots: "x" });
    expect(await tester.test({ settings })).toMatchObject({
      httpStatus: 400,
      body: { status: "BAD_REQUEST", errors: [{ field: "settings.hots" }] },
    });
  });

  it("leaves what is stored as it is", async () => {
    const server = await mailServer();
    expect(await tester.save(localSettings(server.port))).toEqual(saved);
    const before = await env.SMTP_SETTINGS.getWithMetadata(`smtp:${tester.ada.tenant}`);
    expect(await tester.test()).toEqual(sent);
    expect(await env.SMTP_SETTINGS.getWithMetadata(`smtp:${tester.ada.tenant}`)).toEqual(before);
  });
});
