import { hc, type InferRequestType, type InferResponseType } from "hono/client";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { routes } from "../../src/app.ts";
import { families } from "../support/families.ts";
import { readHistory } from "../support/history.ts";
import { MAILBOX, newOAuthClient, tokenMailServer } from "../support/oauth/clients.ts";
import { TOKEN_URL } from "../support/oauth/control.ts";
import { invalidField, jsonResponse, saved, settingsResponse } from "../support/responses.ts";
import { newSmtpTestClient } from "../support/smtp/smtp-test-client.ts";

const MASK = "**********";
const milliseconds = expect.any(Number);
const connected = [
  { stage: "connect", milliseconds },
  { stage: "greeting", milliseconds },
  { stage: "tls", tls: "STARTTLS", milliseconds, mechanisms: ["XOAUTH2"] },
];

/** An administrator whose mail server accepts tokens of a new client. */
async function newTokenClient(
  family: (typeof families)[number],
  request: Parameters<typeof newOAuthClient>[0] = {},
) {
  const [admin, oauth, server] = [
    await newSmtpTestClient(family),
    await newOAuthClient(request),
    await tokenMailServer(),
  ];
  const settings: Record<string, unknown> = {
    host: "localhost",
    port: String(server.port),
    from: "sender@example.com",
    starttls: true,
    ssl: false,
    ...oauth.settings,
  };
  return { admin, oauth, server, settings };
}

describe.concurrent.each(families)("Settings with authType token, $family,", (family) => {
  it("are saved, sealed, and returned with the secret masked", async () => {
    const { admin, oauth, settings } = await newTokenClient(family);
    expect(await admin.save(settings)).toEqual(saved);
    expect((await admin.ada.opened()).settings).toEqual({ ...settings, port: Number(settings.port) });
    expect(await admin.ada.sealed()).not.toContain(oauth.credential);
    const masked = { ...settings, authTokenClientSecret: MASK };
    expect(await admin.ada.read()).toEqual(settingsResponse(masked));
    // As they were read.
    expect(await admin.save(masked)).toEqual(saved);
    expect((await admin.ada.opened()).settings.authTokenClientSecret).toBe(oauth.credential);
  });

  it("keep no secret for another token URL", async () => {
    const { admin, settings } = await newTokenClient(family);
    await admin.save(settings);
    const before = await admin.ada.sealed();
    const changes = { authTokenClientSecret: MASK, authTokenUrl: "https://attacker.example/token" };
    expect(await admin.save({ ...settings, ...changes })).toEqual(
      invalidField("authTokenClientSecret", "must be sent again after a change of authTokenUrl"),
    );
    expect(await admin.ada.sealed()).toBe(before);
  });

  it("are rejected by field if they cannot work", async () => {
    const { admin, settings } = await newTokenClient(family);
    const { authTokenUrl: _, ...withoutUrl } = settings;
    expect(await admin.save(withoutUrl)).toEqual(
      invalidField("authTokenUrl", "is required with authType token"),
    );
    expect(await admin.test({ settings: withoutUrl })).toEqual(
      invalidField("settings.authTokenUrl", "is required with authType token"),
    );
    expect(await admin.ada.sealed()).toBeNull();
  });

  it("name the diagnosis of the token endpoint if a verifying save fails, and are not stored", async () => {
    const { admin, settings, server } = await newTokenClient(family);
    expect(await admin.save({ ...settings, authTokenClientSecret: "wrong" }, "?verify=true")).toEqual(
      jsonResponse(502, "BAD_GATEWAY", "The token endpoint rejected the request for an access token.", {
        stage: "token",
        oauth: { status: 401, error: "invalid_client", error_description: "client authentication failed" },
        hint: "The endpoint does not accept the client: check authTokenUrl and authTokenClientId, and the private key or the client secret, which was sent in the body and by HTTP Basic.",
        steps: connected,
      }),
    );
    expect(await admin.ada.sealed()).toBeNull();
    expect(await server.messages()).toEqual([]);
  });

  it("send a test mail, and request a token for each test", async () => {
    const { admin, oauth, settings, server } = await newTokenClient(family);
    await admin.save(settings);
    for (const mechanism of ["XOAUTH2", "XOAUTH2"]) {
      expect(await admin.test()).toMatchObject({
        httpStatus: 200,
        body: {
          steps: expect.arrayContaining([
            { stage: "token", milliseconds },
            { stage: "authentication", mechanism, milliseconds },
          ]),
        },
      });
    }
    expect(await server.messages()).toMatchObject([
      { user: MAILBOX, mechanism: "XOAUTH2", secure: true },
      {},
    ]);
    expect(await oauth.log()).toMatchObject([{ status: 200 }, { status: 200 }]);
  });
});

describe.concurrent("Settings with authType token", () => {
  it("show at once that the client has been removed", async () => {
    const { admin, oauth, settings } = await newTokenClient(families[0]);
    await admin.save(settings);
    expect((await admin.test()).httpStatus).toBe(200);
    await oauth.revoke();
    const error = { httpStatus: 502, body: { stage: "token", oauth: { error: "invalid_client" } } };
    expect(await admin.test()).toMatchObject(error);
    expect(await admin.save(settings, "?verify=true")).toMatchObject(error);
  });

  it("have the challenge of the server in a failed test", async () => {
    const { admin, settings } = await newTokenClient(families[0]);
    expect(await admin.test({ settings: { ...settings, authTokenScope: "other" } })).toMatchObject({
      httpStatus: 502,
      body: {
        stage: "authentication",
        message: "The SMTP server rejected the access token.",
        smtpCode: 535,
        challenge: '{"status":"401","schemes":"bearer","scope":"smtp"}',
      },
    });
  });

  it("are tested with the stored secret while it belongs to them", async () => {
    const { admin, oauth, settings } = await newTokenClient(families[0]);
    await admin.save(settings);
    const masked = { ...settings, authTokenClientSecret: MASK };
    expect((await admin.test({ settings: masked })).httpStatus).toBe(200);
    expect(await admin.test({ settings: { ...masked, authTokenClientId: "client-2" } })).toEqual(
      invalidField(
        "settings.authTokenClientSecret",
        "must be sent again after a change of authTokenClientId",
      ),
    );
    expect(await oauth.log()).toHaveLength(1);
  });

  it("work with a private key and its certificate, which are masked", async () => {
    const { admin, settings, server } = await newTokenClient(families[0], { credential: "certificate" });
    expect(await admin.save(settings, "?verify=true")).toEqual(saved);
    expect(await admin.ada.read()).toEqual(settingsResponse({ ...settings, authTokenPrivateKey: MASK }));
    expect((await admin.test({ to: "reader@example.org" })).httpStatus).toBe(200);
    expect(await server.messages()).toMatchObject([{ rcptTo: ["reader@example.org"] }]);
  });

  it.each([
    ["authTokenUrl", "https://127.0.0.1/token", "must have a public host that is not one of this service"],
    ["authTokenPrivateKey", "s3cret", expect.stringMatching(/^must be an unencrypted private key/)],
  ])("are rejected for %s %j, and nothing is stored or requested", async (field, value, message) => {
    const { admin, settings, server } = await newTokenClient(families[0]);
    const { authTokenClientSecret, ...others } = settings;
    const secret = field === "authTokenPrivateKey" ? {} : { authTokenClientSecret };
    const body = { ...others, ...secret, [field]: value };
    const publicOnly = { env: {} };
    const sent = { ...body, host: "smtp.example.net" };
    expect(await admin.save(sent, "", publicOnly)).toMatchObject({
      httpStatus: 400,
      body: { errors: [{ field, message }] },
    });
    expect(await admin.test({ settings: sent }, publicOnly)).toMatchObject({
      httpStatus: 400,
      body: { errors: [{ field: `settings.${field}`, message }] },
    });
    expect(await admin.ada.sealed()).toBeNull();
    expect(await server.connections()).toBe(0);
  });

  it("are not tested if they were stored with a private endpoint for local work", async () => {
    const { admin, settings } = await newTokenClient(families[0]);
    const local = { ...settings, host: "smtp.example.net", authTokenUrl: "https://localhost/token" };
    expect(await admin.save(local)).toEqual(saved);
    expect(await admin.test({}, { env: {} })).toEqual(
      invalidField("authTokenUrl", "must have a public host that is not one of this service"),
    );
  });

  it("leave the names of changed fields in history, and no value", async () => {
    const { admin, oauth, settings } = await newTokenClient(families[0]);
    await admin.save({ host: "localhost", port: settings.port, from: "sender@example.com" });
    await admin.save(settings);
    const { entries } = await readHistory(admin.ada, { limit: "1" });
    expect(entries).toMatchObject([
      {
        action: "saved",
        changed: [
          "authTokenClientId",
          "authTokenClientSecret",
          "authTokenScope",
          "authTokenUrl",
          "authType",
          "starttls",
          "user",
        ],
      },
    ]);
    expect(JSON.stringify(entries)).not.toContain(oauth.credential);
    expect(JSON.stringify(entries)).not.toContain(TOKEN_URL);
  });
});

it("The typed client knows the fields of tokens", () => {
  const { config } = hc<typeof routes>("https://acme.example.com").digitanium.v4.mail;
  type Saved = InferRequestType<typeof config.$post>["json"];
  type Read = InferResponseType<typeof config.$get>["settings"];
  expectTypeOf<Saved["authTokenPrivateKey"]>().toEqualTypeOf<string | null | undefined>();
  expectTypeOf<Saved["authTokenUrl"]>().toEqualTypeOf<string | null | undefined>();
  expectTypeOf<NonNullable<Read["authType"]>>().toEqualTypeOf<"basic" | "token">();
  expectTypeOf<NonNullable<Read["authTokenGrantType"]>>().toEqualTypeOf<
    "client_credentials" | "urn:ietf:params:oauth:grant-type:jwt-bearer"
  >();
});
