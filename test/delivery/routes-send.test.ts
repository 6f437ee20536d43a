import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MAX_WAITING_MESSAGES } from "../../src/delivery/usage.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { families } from "../support/families.ts";
import { faultyKv } from "../support/faulty-kv.ts";
import { aMail } from "../support/outbox.ts";
import {
  invalidField,
  jsonResponse,
  nothingStored,
  unauthorized,
  unsupportedContentCoding,
  unsupportedMediaType,
} from "../support/responses.ts";
import { newSender } from "../support/sender.ts";
import { mailServer } from "../support/smtp/servers.ts";

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * 60_000));
afterEach(restoreClock);

const id = expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/);
const KEY_RULE = "must be one key of 1 to 255 printable ASCII characters, in quotes if it has a comma";
const accepted = (members: object) => jsonResponse(202, "ACCEPTED", "Accepted for delivery", members);

describe.each(families)("sending ($family)", (family) => {
  it("accepts a mail before any server is contacted, and says where its state is", async () => {
    const server = await mailServer();
    const ada = await newSender(family, server);
    const response = await ada.request("", { body: aMail });
    const body = await response.json<{ id: string }>();
    expect({ httpStatus: response.status, body }).toEqual(accepted({ id, state: "queued" }));
    expect(response.headers.get("Location")).toBe(`${new URL(ada.url).pathname}/${body.id}`);
    expect(response.headers.has("Idempotent-Replayed")).toBe(false);
    expect(await ada.outbox.database.query("SELECT id, state FROM mail")).toEqual([
      { id: body.id, state: "queued" },
    ]);
    expect((await server.state()).connections).toBe(0);
    await ada.outbox.runAlarm();
    expect((await server.state()).messages).toMatchObject([{ rcptTo: [aMail.to] }]);
  });

  it("accepts a batch as a unit, without a Location", async () => {
    const ada = await newSender(family, await mailServer());
    const response = await ada.request("", { body: [aMail, aMail] });
    expect(response.status).toBe(202);
    expect(response.headers.has("Location")).toBe(false);
    expect(await response.json()).toEqual(
      accepted({
        messages: [
          { id, state: "queued" },
          { id, state: "queued" },
        ],
      }).body,
    );
    expect(await ada.outbox.states()).toEqual(["queued", "queued"]);
  });

  it("rejects a batch as a unit, and names the mail of each error", async () => {
    const ada = await newSender(family, await mailServer());
    const batch = [aMail, aMail, aMail, { ...aMail, to: undefined }];
    expect(await ada.post(batch)).toEqual(invalidField("[3].to", "is required"));
    expect(await ada.outbox.database.tables()).toEqual([]);
  });

  it("lists the errors of every message of a batch", async () => {
    const ada = await newSender(family, await mailServer());
    const { to: _, ...withoutTo } = aMail;
    const batch = Array.from({ length: 100 }, () => withoutTo);
    const { httpStatus, body } = await ada.post(batch);
    const errors = batch.map((_, index) => ({ field: `[${index}].to`, message: "is required" }));
    expect({ httpStatus, body }).toMatchObject({ httpStatus: 400, body: { errors } });
    expect(body).toMatchObject({
      message: expect.stringMatching(/: \[0\]\.to, .*\[19\]\.to, and 80 more\.$/),
    });
  });

  it("repeats its result for a known Idempotency-Key", async () => {
    const ada = await newSender(family, await mailServer());
    const first = await ada.post(aMail, { headers: { "Idempotency-Key": '"login-4711"' } });
    await ada.outbox.runAlarm();
    const again = await ada.request("", { body: aMail, headers: { "Idempotency-Key": "login-4711" } });
    expect(again.status).toBe(202);
    expect(again.headers.get("Idempotent-Replayed")).toBe("true");
    const { id } = await again.json<{ id: string }>();
    expect(first).toEqual(accepted({ id, state: "queued" }));
    expect(await ada.outbox.states()).toEqual(["sent"]);
  });

  it("rejects an Idempotency-Key of another body", async () => {
    const ada = await newSender(family, await mailServer());
    const headers = { "Idempotency-Key": "login-4711" };
    await ada.post(aMail, { headers });
    expect(await ada.post({ ...aMail, subject: "Other" }, { headers })).toEqual(
      jsonResponse(
        422,
        "UNPROCESSABLE_CONTENT",
        "The Idempotency-Key was used with another body. Use a new key for each request.",
      ),
    );
    expect(await ada.outbox.states()).toHaveLength(1);
  });

  it("accepts the Idempotency-Key of another application as a new one", async () => {
    const ada = await newSender(family, await mailServer());
    const headers = { "Idempotency-Key": "login-4711" };
    await ada.post(aMail, { headers });
    const response = await ada.request("", { body: aMail, headers, token: ada.otherToken });
    expect(response.status).toBe(202);
    expect(response.headers.get("Idempotent-Replayed")).toBeNull();
    expect(await ada.outbox.states()).toHaveLength(2);
  });

  // test/delivery/idempotency-key.test.ts holds the table of values.
  it("rejects an Idempotency-Key that is not valid", async () => {
    const ada = await newSender(family, await mailServer());
    const headers = { "Idempotency-Key": '""' };
    expect(await ada.post(aMail, { headers })).toEqual(invalidField("Idempotency-Key", KEY_RULE));
    expect(await ada.outbox.database.tables()).toEqual([]);
  });

  it.each([
    ["login-4711", "login-4712"],
    ['"login-4711"', '"login-4712"'],
  ])("rejects two lines of Idempotency-Key: %s, %s", async (...keys) => {
    const ada = await newSender(family, await mailServer());
    const headers = new Headers({ "Content-Type": "application/json", Authorization: `Bearer ${ada.token}` });
    for (const key of keys) headers.append("Idempotency-Key", key);
    const request = new Request(ada.url, { method: "POST", headers, body: JSON.stringify(aMail) });
    const response = await exports.default.fetch(request);
    expect({ httpStatus: response.status, body: await response.json() }).toEqual(
      invalidField("Idempotency-Key", KEY_RULE),
    );
    expect(await ada.outbox.database.tables()).toEqual([]);
  });

  it("rejects a mail while nothing is stored for the tenant", async () => {
    const ada = await newSender(family);
    expect(await ada.post(aMail)).toEqual(nothingStored);
    expect(await ada.outbox.database.tables()).toEqual([]);
  });

  it("needs a sender's role", async () => {
    const ada = await newSender(family, await mailServer());
    const rejection = jsonResponse(
      403,
      "FORBIDDEN",
      "The token needs one of these roles: tenant-mail/mail-sender.",
    );
    const none = await ada.realm.token({ resource_access: {} });
    for (const token of [ada.adminToken, none]) expect(await ada.post(aMail, { token })).toEqual(rejection);
    expect(await ada.outbox.database.tables()).toEqual([]);
  });

  it("needs a token of the same tenant", async () => {
    const server = await mailServer();
    const [ada, grace] = [await newSender(family, server), await newSender(family, server)];
    expect(await ada.post(aMail, { token: grace.token })).toEqual(unauthorized);
    expect(await ada.json("", { body: aMail, headers: { Authorization: "" } })).toEqual(unauthorized);
    expect(await ada.outbox.database.tables()).toEqual([]);
  });

  it("needs https", async () => {
    const ada = await newSender(family, await mailServer());
    const plain = { ...ada, url: ada.url.replace("https:", "http:") };
    const { call } = await import("../support/client.ts");
    expect((await call(plain.url, { token: ada.token, body: aMail })).status).toBe(403);
    expect(await ada.outbox.database.tables()).toEqual([]);
  });

  it("accepts at most 1 MiB", async () => {
    const ada = await newSender(family, await mailServer());
    const sized = (bytes: number) => {
      const text = "x".repeat(bytes - JSON.stringify({ ...aMail, text: "" }).length);
      return JSON.stringify({ ...aMail, text });
    };
    expect(await ada.post(sized(1024 * 1024 + 1))).toEqual(
      jsonResponse(413, "CONTENT_TOO_LARGE", "The body must have at most 1048576 bytes."),
    );
    expect(await ada.post(sized(1024 * 1024))).toEqual(accepted({ id, state: "queued" }));
  });

  it("accepts JSON only", async () => {
    const ada = await newSender(family, await mailServer());
    const headers = { "Content-Type": "text/plain" };
    expect(await ada.post(JSON.stringify(aMail), { headers })).toEqual(unsupportedMediaType);
    for (const [body, field] of [
      ["null", "body"],
      ["5", "body"],
      ["[]", "body"],
      ['["x"]', "[0]"],
    ] as const) {
      expect(await ada.post(body)).toMatchObject({ httpStatus: 400, body: { errors: [{ field }] } });
    }
    expect(await ada.post("{")).toEqual(jsonResponse(400, "BAD_REQUEST", "The body must be a JSON object."));
  });

  it("accepts no compressed body", async () => {
    const ada = await newSender(family, await mailServer());
    const body = new Blob([JSON.stringify(aMail)]).stream().pipeThrough(new CompressionStream("gzip"));
    const response = await ada.request("", { body, headers: { "Content-Encoding": "gzip" } });
    expect(response.headers.get("Accept-Encoding")).toBe("identity");
    expect({ httpStatus: response.status, body: await response.json() }).toEqual(unsupportedContentCoding);
    expect(await ada.outbox.database.tables()).toEqual([]);
  });

  it("checks the token before the body, and the body before the settings", async () => {
    const ada = await newSender(family);
    expect(await ada.post("{", { token: "x.y.z" })).toEqual(unauthorized);
    expect(await ada.post({})).toMatchObject({ httpStatus: 400 });
    expect(await ada.post(aMail)).toEqual(nothingStored);
  });

  it("rejects more messages once 10,000 wait", async () => {
    const ada = await newSender(family, await mailServer());
    await ada.post(aMail);
    await ada.outbox.database.multiply(MAX_WAITING_MESSAGES - 1);
    await ada.outbox.evict();
    await ada.outbox.database.query("UPDATE mail SET due_at = due_at + 45000");
    const response = await ada.request("", { body: aMail });
    expect(response.headers.get("Retry-After")).toBe("45");
    expect({ httpStatus: response.status, body: await response.json() }).toEqual(
      jsonResponse(
        429,
        "TOO_MANY_REQUESTS",
        "The outbox is full. Try again once messages have been sent, or fix what keeps them waiting.",
      ),
    );
  });

  it("responds 503 while the outbox is unavailable", async () => {
    const ada = await newSender(family, await mailServer());
    const accept = () => Promise.reject({ retryable: true });
    const OUTBOX = { getByName: () => ({ accept }) } as unknown as Env["OUTBOX"];
    const response = await ada.request("", { body: aMail, env: { OUTBOX } });
    expect(response.headers.get("Retry-After")).toBe("2");
    expect({ httpStatus: response.status, body: await response.json() }).toEqual(
      jsonResponse(
        503,
        "SERVICE_UNAVAILABLE",
        "The outbox is unavailable. Try again in a few seconds, with the same Idempotency-Key if there is one.",
      ),
    );
  });

  it("responds 503 while KV is unavailable, and accepts nothing", async () => {
    const ada = await newSender(family, await mailServer());
    const { kv } = faultyKv("get", "KV GET failed: 503 Service Unavailable", 1);
    expect(await ada.post(aMail, { env: { SMTP_SETTINGS: kv } })).toMatchObject({ httpStatus: 503 });
    expect(await ada.outbox.database.tables()).toEqual([]);
    expect(env.SMTP_SETTINGS).not.toBe(kv);
  });
});
