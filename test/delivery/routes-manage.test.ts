import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { families } from "../support/families.ts";
import { aMail } from "../support/outbox.ts";
import { internalError, invalidField, jsonResponse, unauthorized } from "../support/responses.ts";
import { newSender } from "../support/sender.ts";
import { mailServer } from "../support/smtp/servers.ts";

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * 60_000));
afterEach(restoreClock);

const UNKNOWN = "01a20ec7-e1df-7000-9c3f-9f047315de87";
const notFound = jsonResponse(404, "NOT_FOUND", "No message has this id.");
const read = (members: object) => jsonResponse(200, "OK", "Successfully read the mail", members);

function conflict(state: string) {
  const rule =
    "only queued, failed or expired messages can be deleted, and only failed or expired ones retried.";
  return jsonResponse(409, "CONFLICT", `The message is ${state}: ${rule}`);
}

const operations: [string, string, string][] = [
  ["reading", "GET", ""],
  ["deleting", "DELETE", ""],
  ["retrying", "POST", "/retry"],
];

describe.each(families)("the state of a mail ($family)", (family) => {
  it("is read without recipient and content", async () => {
    const ada = await newSender(family, await mailServer());
    const id = await ada.outbox.submit({ tag: "code", expiresIn: 600 });
    const createdAt = new Date().toISOString();
    const expiresAt = new Date(Date.now() + 600_000).toISOString();
    expect(await ada.json(`/${id}`)).toEqual(
      read({ id, state: "queued", attempts: 0, createdAt, expiresAt, nextAttemptAt: createdAt, tag: "code" }),
    );
    await ada.outbox.runAlarm();
    expect(await ada.json(`/${id}`)).toEqual(
      read({
        id,
        state: "sent",
        attempts: 1,
        createdAt,
        expiresAt,
        messageId: `<${id}@example.com>`,
        tag: "code",
      }),
    );
  });

  it("says what the mail waits for, and why", async () => {
    const ada = await newSender(family, await mailServer({ password: "another" }));
    const id = await ada.outbox.submit();
    await ada.outbox.runAlarm();
    expect(await ada.json(`/${id}`)).toMatchObject({
      body: { state: "queued", waitingFor: "settings", failure: { stage: "authentication", smtpCode: 535 } },
    });
  });

  it.each(operations)("is open to senders and administrators: %s", async (_, method, path) => {
    const server = await mailServer({ reject: { recipient: "550 5.1.1 unknown" } });
    const ada = await newSender(family, server);
    for (const token of [ada.token, ada.adminToken]) {
      const id = await ada.outbox.submit();
      if (path === "/retry") await ada.outbox.runAlarm();
      expect(await ada.json(`/${id}${path}`, { method, token })).toMatchObject({
        httpStatus: 200,
        body: { id },
      });
    }
  });

  it.each(operations)("is closed to others: %s", async (_, method, path) => {
    const ada = await newSender(family, await mailServer());
    const id = await ada.outbox.submit();
    const token = await ada.realm.token({ resource_access: { account: { roles: ["mail-sender"] } } });
    const roles = "tenant-mail/mail-sender, realm-management/manage-realm";
    expect(await ada.json(`/${id}${path}`, { method, token })).toEqual(
      jsonResponse(403, "FORBIDDEN", `The token needs one of these roles: ${roles}.`),
    );
    expect(await ada.json(`/${id}${path}`, { method, token: "x.y.z" })).toEqual(unauthorized);
    expect(await ada.outbox.status(id)).toMatchObject({ state: "queued" });
  });

  it.each(operations)("exists in its own tenant only: %s", async (_, method, path) => {
    const server = await mailServer();
    const [ada, grace] = [await newSender(family, server), await newSender(family, server)];
    const id = await ada.outbox.submit();
    expect(await grace.json(`/${id}${path}`, { method })).toEqual(notFound);
    expect(await ada.json(`/${id}${path}`, { method, token: grace.token })).toEqual(unauthorized);
    expect(await ada.outbox.status(id)).toMatchObject({ state: "queued" });
  });

  it.each(operations)("belongs to the application that sent the mail: %s", async (_, method, path) => {
    const ada = await newSender(family, await mailServer());
    const id = await ada.outbox.submit();
    expect(await ada.json(`/${id}${path}`, { method, token: ada.otherToken })).toEqual(notFound);
    expect(await ada.outbox.status(id)).toMatchObject({ state: "queued" });
  });

  it.each(operations)("is not found under an unknown id: %s", async (_, method, path) => {
    const ada = await newSender(family);
    for (const id of [UNKNOWN, "x", "%27%20OR%201=1"]) {
      expect(await ada.json(`/${id}${path}`, { method })).toEqual(notFound);
    }
    expect(await ada.outbox.database.tables()).toEqual([]);
  });
});

describe.each(families)("canceling and retrying ($family)", (family) => {
  it("cancels a mail that waits, once", async () => {
    const server = await mailServer();
    const ada = await newSender(family, server);
    const id = await ada.outbox.submit();
    expect(await ada.json(`/${id}`, { method: "DELETE" })).toMatchObject(
      jsonResponse(200, "OK", "Successfully canceled the mail", { id, state: "canceled" }),
    );
    expect(await ada.json(`/${id}`, { method: "DELETE" })).toEqual(conflict("canceled"));
    await ada.outbox.runAlarm();
    expect((await server.state()).messages).toEqual([]);
  });

  it("retries a mail that failed", async () => {
    const server = await mailServer({ reject: { recipient: "550 5.1.1 unknown" } });
    const ada = await newSender(family, server);
    const id = await ada.outbox.submit();
    await ada.outbox.runAlarm();
    expect(await ada.json(`/${id}/retry`, { method: "POST" })).toMatchObject(
      jsonResponse(200, "OK", "Successfully queued the mail again", { id, state: "queued", attempts: 0 }),
    );
    expect(await ada.json(`/${id}/retry`, { method: "POST" })).toEqual(conflict("queued"));
    await server.change({});
    await ada.outbox.runAlarm();
    expect(await ada.json(`/${id}/retry`, { method: "POST" })).toEqual(conflict("sent"));
    expect(await ada.json(`/${id}`, { method: "DELETE" })).toEqual(conflict("sent"));
    expect((await server.state()).messages).toHaveLength(1);
  });

  it("deletes the content of a mail that failed, and says so instead of retrying it", async () => {
    const ada = await newSender(family, await mailServer({ reject: { recipient: "550 5.1.1 unknown" } }));
    const id = await ada.outbox.submit();
    await ada.outbox.runAlarm();
    const deleted = { id, state: "failed", contentDeleted: true };
    for (let request = 0; request < 2; request++) {
      expect(await ada.json(`/${id}`, { method: "DELETE" })).toMatchObject(
        jsonResponse(200, "OK", "Successfully deleted the content of the mail", deleted),
      );
    }
    expect(await ada.json(`/${id}`)).toMatchObject({ body: deleted });
    expect(await ada.json(`/${id}/retry`, { method: "POST" })).toEqual(
      jsonResponse(409, "CONFLICT", "The content of the message is deleted, so it cannot be retried."),
    );
  });

  it("responds 500 to a retry of a message that cannot be decrypted", async () => {
    const ada = await newSender(family, await mailServer());
    const id = await ada.outbox.submit();
    await ada.outbox.database.change("content = 'broken'", id);
    await ada.outbox.runAlarm();
    expect(await ada.json(`/${id}/retry`, { method: "POST" })).toEqual(internalError);
    expect(await ada.outbox.status(id)).toMatchObject({ state: "queued" });
  });

  it.each([
    ["", ["GET", "HEAD", "POST"]],
    [`/${UNKNOWN}`, ["GET", "HEAD", "DELETE"]],
    [`/${UNKNOWN}/retry`, ["POST"]],
  ])("names the methods of messages%s", async (path, methods) => {
    const ada = await newSender(family);
    const response = await ada.request(path, { method: "PUT" });
    expect(response.status).toBe(405);
    expect(response.headers.get("Allow")?.split(", ").sort()).toEqual([...methods].sort());
  });
});

describe.each(families)("the list of messages ($family)", (family) => {
  it("is newest first, in pages that end", async () => {
    const ada = await newSender(family, await mailServer());
    const ids: string[] = [];
    for (let index = 0; index < 5; index++) ids.unshift(await ada.outbox.submit({ tag: "code" }));
    await ada.outbox.submit({ tag: "other" });
    const listed: string[] = [];
    let query: string | undefined = "?tag=code&state=queued&limit=2";
    let pages = 0;
    while (query !== undefined) {
      const response = await ada.request(query);
      const { messages, cursor } = await response.json<{ messages: { id: string }[]; cursor?: string }>();
      listed.push(...messages.map(({ id }) => id));
      query = cursor === undefined ? undefined : `?tag=code&state=queued&limit=2&cursor=${cursor}`;
      pages++;
    }
    expect(listed).toEqual(ids);
    expect(pages).toBe(3);
  });

  it("is empty if nothing was ever sent, or stored", async () => {
    const ada = await newSender(family);
    expect(await ada.json()).toEqual(jsonResponse(200, "OK", "Successfully read messages", { messages: [] }));
    expect(await ada.outbox.database.tables()).toEqual([]);
  });

  it("has the same members as reading, and is open to administrators", async () => {
    const ada = await newSender(family, await mailServer());
    const id = await ada.outbox.submit();
    const {
      message: _,
      status: __,
      subSystem: ___,
      ...mail
    } = (await ada.json(`/${id}`)).body as Record<string, unknown>;
    for (const token of [ada.token, ada.adminToken]) {
      expect(await ada.json("", { token })).toMatchObject({ body: { messages: [mail] } });
    }
  });

  it("has only what its own application has sent, and all of it for administrators", async () => {
    const ada = await newSender(family, await mailServer());
    const id = await ada.outbox.submit();
    expect(await ada.json("", { token: ada.otherToken })).toMatchObject({ body: { messages: [] } });
    const other = await ada.post(aMail, { token: ada.otherToken });
    const { id: otherId } = other.body as { id: string };
    expect(await ada.json("", { token: ada.otherToken })).toMatchObject({
      body: { messages: [{ id: otherId }] },
    });
    expect(await ada.json("", { token: ada.token })).toMatchObject({ body: { messages: [{ id }] } });
    expect(await ada.json("", { token: ada.adminToken })).toMatchObject({
      body: { messages: [{ id: otherId }, { id }] },
    });
  });

  it.each([
    ["limit=0", "limit", "must be a whole number from 1 to 200"],
    ["limit=201", "limit", "must be a whole number from 1 to 200"],
    ["state=done", "state", "must be one of queued, sending, sent, failed, expired, canceled"],
    ["cursor=x", "cursor", "must be the cursor of the previous page"],
  ])("rejects %s", async (query, field, message) => {
    const ada = await newSender(family);
    expect(await ada.json(`?${query}`)).toEqual(invalidField(field, message));
  });

  it("is closed to others", async () => {
    const ada = await newSender(family, await mailServer());
    await ada.outbox.submit({ to: aMail.to });
    const token = await ada.realm.token({ resource_access: {} });
    expect(await ada.json("", { token })).toMatchObject({ httpStatus: 403 });
  });
});
