import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import * as z from "zod/mini";
import type { JsonSchema } from "../../openapi/lib/types.ts";
import { mailStatusSchema } from "../../openapi/messages.ts";
import { MAIL_STATES, type MailRow } from "../../src/delivery/mail-row.ts";
import type { Pause } from "../../src/delivery/pause.ts";
import { mailSchema } from "../../src/delivery/schema.ts";
import { toStatus } from "../../src/delivery/status.ts";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { type CallOptions, call } from "../support/client.ts";
import { document, expectDocumented } from "../support/documented.ts";
import { families } from "../support/families.ts";

/** The operations on one message, with an id that none has. */
const onOneMessage: [string, { at: string; method?: string }][] = [
  ["readMail", { at: "/1" }],
  ["deleteMail", { at: "/1", method: "DELETE" }],
  ["retryMail", { at: "/1/retry", method: "POST" }],
];

const mail = { to: "ada@example.com", subject: "Your code", text: "123456" };

describe.each(families)("responses of the message routes are documented, $family", ({ family, address }) => {
  let ada: Administrator;
  let token: string;
  let url: string;
  beforeEach(async () => {
    ada = await newAdministrator(address);
    token = await ada.realm.token({ resource_access: { "tenant-mail": { roles: ["mail-sender"] } } });
    url = ada.url.replace(/\w+$/, "messages");
  });

  /** Sends a request, and asserts that its response is documented. */
  async function expectResponse(status: number, operation: string, how: CallOptions & { at?: string }) {
    const response = await call(`${url}${how.at ?? ""}`, { token, ...how });
    expect(response.status).toBe(status);
    await expectDocumented(response.clone(), `${operation}_${family}`);
    return response;
  }

  // Nobody is contacted: the Worker under test allows public hosts only.
  const saveSettings = () =>
    ada.save({ host: "localhost", from: "sender@example.com" }, { env: { ALLOW_PRIVATE_HOSTS: "true" } });

  const newMail = async (): Promise<string> => {
    await saveSettings();
    const { id } = await (await call(url, { token, body: mail })).json<{ id: string }>();
    return id;
  };

  it("sending, 202: one message, and again with its key", async () => {
    await saveSettings();
    const how = { body: mail, headers: { "Idempotency-Key": '"a key"' } };
    const first = await expectResponse(202, "sendMail", how);
    expect(first.headers.get("Location")).toMatch(/\/messages\/[\da-f-]{36}$/);
    const replay = await expectResponse(202, "sendMail", how);
    expect(replay.headers.get("Idempotent-Replayed")).toBe("true");
    await expectResponse(422, "sendMail", { ...how, body: { ...mail, subject: "Another" } });
  });

  it("sending, 202: a batch", async () => {
    await saveSettings();
    const response = await expectResponse(202, "sendMail", { body: [mail, mail] });
    expect(await response.json()).toMatchObject({ messages: [{ state: "queued" }, { state: "queued" }] });
  });

  it.each([
    ["a field is missing", { body: {} }],
    ["the fourth message of a batch has no recipient", { body: [mail, mail, mail, { ...mail, to: "" }] }],
    ["the Idempotency-Key is not valid", { body: mail, headers: { "Idempotency-Key": '"' } }],
    ["the body is not JSON", { body: "{" }],
  ])("sending, 400: %s", async (_, how) => {
    await expectResponse(400, "sendMail", how);
  });

  it.each([
    [404, { body: mail }],
    [413, { body: " ".repeat(1024 * 1024 + 1) }],
    [415, { body: "x", headers: { "Content-Type": "text/plain" } }],
  ])("sending, %i", async (status, how) => {
    await expectResponse(status, "sendMail", how);
  });

  it("sending, 429: the outbox is full", async () => {
    await saveSettings();
    const full = {
      accept: async () => ({ kind: "outbox_full", roomAt: 0 }),
      settingsChanged: async () => {},
    };
    const OUTBOX = new Proxy(env.OUTBOX, { get: () => () => full });
    await expectResponse(429, "sendMail", { body: mail, env: { OUTBOX } });
  });

  it.each([["sendMail", { body: mail }], ["listMails", {}], ...onOneMessage])(
    "503 of %s: the outbox restarts",
    async (operation, how) => {
      await saveSettings();
      const error = Object.assign(new Error("down"), { retryable: true });
      const restarting = new Proxy({}, { get: () => () => Promise.reject(error) });
      const OUTBOX = new Proxy(env.OUTBOX, { get: () => () => restarting });
      await expectResponse(503, operation, { ...how, env: { OUTBOX } });
    },
  );

  it("sending, 500: the stored settings cannot be decrypted", async () => {
    await env.SMTP_SETTINGS.put(`smtp:${ada.tenant}`, "not a record");
    await expectResponse(500, "sendMail", { body: mail });
  });

  it("listing, 200: a page with a cursor, and the last one", async () => {
    const id = await newMail();
    await call(url, { token, body: { ...mail, tag: "code" } });
    const page = await expectResponse(200, "listMails", { at: "?limit=1" });
    const { cursor } = await page.json<{ cursor: string }>();
    const last = await expectResponse(200, "listMails", { at: `?limit=1&cursor=${cursor}` });
    expect(await last.json()).toMatchObject({ messages: [{ id }] });
  });

  it("listing, 400: the state is unknown", async () => {
    await expectResponse(400, "listMails", { at: "?state=lost" });
  });

  it("reading, 200", async () => {
    await expectResponse(200, "readMail", { at: `/${await newMail()}` });
  });

  it("canceling, 200, then 409", async () => {
    const how = { at: `/${await newMail()}`, method: "DELETE" };
    await expectResponse(200, "deleteMail", how);
    await expectResponse(409, "deleteMail", how);
  });

  it("retrying, 409: the message is queued", async () => {
    await expectResponse(409, "retryMail", { at: `/${await newMail()}/retry`, method: "POST" });
  });

  it.each(onOneMessage)("404 of %s: no message has the id", async (operation, how) => {
    await expectResponse(404, operation, how);
  });
});

describe("documented status of a message", () => {
  const failure = JSON.stringify({ message: "m", stage: "message", smtpCode: 550, reply: "r", hint: "h" });
  const row: MailRow = {
    id: "01a208d0-5251-7000-9f3d-2b6c9d1e4f50",
    state: "queued",
    tag: "code",
    created_at: 0,
    updated_at: 0,
    expires_at: 1,
    lifetime_ms: 1,
    due_at: 1,
    attempts: 1,
    step: 1,
    tried_at: 0,
    deferrals: 0,
    refusals: 1,
    refused_at: 0,
    others_accepted: 0,
    unknown_outcomes: 0,
    unknown_since: null,
    message_id: "<1@example.com>",
    failure,
    size: 1,
  };

  it.each(MAIL_STATES)("covers every member of a message that is %s", (state) => {
    const status = toStatus({ ...row, state }, undefined);
    expect(z.parse(mailStatusSchema, status)).toEqual(status);
  });

  it("covers every member of a message whose outbox is paused", () => {
    const pause: Pause = {
      kind: "delivery",
      waitingFor: "server",
      since: 0,
      triedAt: 0,
      lastTryAt: 0,
      tries: 0,
      loginWorked: false,
      isOfSession: true,
      failure: JSON.parse(failure),
    };
    const status = toStatus(row, pause);
    expect(status).toMatchObject({ waitingFor: "server", failure: { smtpCode: 550 } });
    expect(z.parse(mailStatusSchema, status)).toEqual(status);
  });
});

describe("documented rule of a message", () => {
  const properties = propertiesOf("Mail");
  const headers = propertiesOf("MailHeaders");
  const accepts = (changes: object) => z.safeParse(mailSchema, { ...mail, ...changes }).success;

  it.each(Object.entries(properties).flatMap(examples))("%s: the example %j is valid", (field, example) => {
    expect(accepts({ [field]: example })).toBe(true);
  });

  it.each(Object.entries(headers).flatMap(examples))("%s: the example %j is valid", (name, example) => {
    const others = { "List-Unsubscribe": "<https://example.com/>" };
    expect(accepts({ headers: { ...others, [name]: example } })).toBe(true);
  });

  it("covers every field", () => {
    const fields = [...Object.entries(properties), ...Object.entries(headers)];
    expect(fields.filter(([name, { examples }]) => name !== "headers" && examples === undefined)).toEqual([]);
  });

  it.each(["subject", "tag"])("%s: the maximum length is the one that validation enforces", (field) => {
    const { maxLength = 0 } = properties[field] ?? {};
    const accepted = [maxLength, maxLength + 1].map((length) => accepts({ [field]: "x".repeat(length) }));
    expect(accepted).toEqual([true, false]);
  });

  it("expiresIn: the range is the one that validation enforces", () => {
    const { minimum = 0, maximum = 0 } = properties.expiresIn ?? {};
    const accepted = [minimum - 1, minimum, maximum, maximum + 1].map((expiresIn) => accepts({ expiresIn }));
    expect(accepted).toEqual([false, true, true, false]);
  });
});

function propertiesOf(schema: "Mail" | "MailHeaders"): Record<string, JsonSchema> {
  return (document.components.schemas[schema]?.properties ?? {}) as Record<string, JsonSchema>;
}

function examples([name, schema]: [string, JsonSchema]): [string, unknown][] {
  return ((schema.examples ?? []) as unknown[]).map((example) => [name, example]);
}
