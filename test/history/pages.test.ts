import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { historyEntry } from "../../src/history/entry.ts";
import { HistoryStore } from "../../src/history/store.ts";
import { type Administrator, newAdministrator, seen } from "../support/administrator.ts";
import { answer, invalidField } from "../support/answers.ts";
import { type Call, call } from "../support/client.ts";
import { countingKv } from "../support/counting-kv.ts";
import { families } from "../support/families.ts";
import { faultyKv } from "../support/faulty-kv.ts";
import { histories, readHistory } from "../support/history.ts";

const CURSOR_PROBLEM = "must be the cursor of the page before";

/** Writes entries a minute apart, and gives their request ids, newest first. */
async function remembered(tenant: string, count: number): Promise<string[]> {
  const store = new HistoryStore(env.SMTP_SETTINGS);
  const caller = { subject: "ada", username: undefined, client: undefined, email: undefined };
  const ids = Array.from({ length: count }, () => crypto.randomUUID());
  for (const [index, requestId] of ids.entries()) {
    const at = new Date(Date.UTC(2026, 10, 20) + index * 60_000);
    await store.append(tenant, historyEntry("deleted", { family: "SSMS", requestId, caller }, at));
  }
  return ids.reverse();
}

describe("a page of history", () => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(families[0].address);
  });

  it("has the newest entry first, and says when there are no more", async () => {
    const ids = await remembered(ada.tenant, 3);
    const page = await readHistory(ada);
    expect(page.entries.map(({ requestId }) => requestId)).toEqual(ids);
    expect(page).not.toHaveProperty("cursor");
  });

  it("is answered in the envelope, to the letter", async () => {
    const response = await call(histories[0].address(ada.tenant), { token: ada.token });
    const message = "Successfully read the history of SMTP Details";
    expect(await seen(response)).toEqual(answer(200, "OK", message, { entries: [] }));
  });

  it("leads to the next one by its cursor, until each entry has been seen once", async () => {
    const ids = await remembered(ada.tenant, 7);
    const sizes: number[] = [];
    const read: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await readHistory(ada, { limit: "3", ...(cursor === undefined ? {} : { cursor }) });
      sizes.push(page.entries.length);
      read.push(...page.entries.map(({ requestId }) => requestId));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(sizes).toEqual([3, 3, 1]);
    expect(read).toEqual(ids);
  });

  it("has 50 entries unless the request says otherwise, and at most 1,000", async () => {
    await remembered(ada.tenant, 51);
    expect((await readHistory(ada)).entries).toHaveLength(50);
    expect((await readHistory(ada, { limit: "1" })).entries).toHaveLength(1);
    expect((await readHistory(ada, { limit: "1000" })).entries).toHaveLength(51);
  });

  it("takes one KV list, and nothing else, whatever its size", async () => {
    await remembered(ada.tenant, 60);
    const { kv, operations } = countingKv(env.SMTP_SETTINGS);
    const url = `${histories[0].address(ada.tenant)}?limit=60`;
    const response = await call(url, { token: ada.token, env: { SMTP_SETTINGS: kv } });
    expect((await response.json<{ entries: [] }>()).entries).toHaveLength(60);
    expect(operations).toEqual(["list history"]);
  });

  it("is the same for both families", async () => {
    await remembered(ada.tenant, 2);
    const [ssms, shift] = await Promise.all(
      histories.map(async ({ address }) => seen(await call(address(ada.tenant), { token: ada.token }))),
    );
    expect(ssms).toEqual(shift);
    expect(ssms).toMatchObject({ httpStatus: 200, body: { entries: [{}, {}] } });
  });
});

describe("a query of history", () => {
  const read = (ada: Administrator, query: string, more: Call = {}) =>
    call(`${histories[0].address(ada.tenant)}?${query}`, { token: ada.token, ...more }).then(seen);

  it.each(["0", "-1", "1001", "10000", "1.5", "abc", "", "%201", "1e2", "0x10", "007", "1&limit=2"])(
    "is refused with limit=%s",
    async (limit) => {
      const ada = await newAdministrator(families[0].address);
      const message = "must be a whole number from 1 to 1000";
      expect(await read(ada, `limit=${limit}`)).toEqual(invalidField("limit", message));
    },
  );

  it("is refused with two cursors", async () => {
    const ada = await newAdministrator(families[0].address);
    expect(await read(ada, "cursor=a&cursor=b")).toEqual(invalidField("cursor", CURSOR_PROBLEM));
  });

  it("is refused with a cursor that KV has not made", async () => {
    const ada = await newAdministrator(families[0].address);
    const { kv } = faultyKv("list", "KV GET failed: 400 Bad Request", 1);
    const answered = await read(ada, "cursor=made-up", { env: { SMTP_SETTINGS: kv } });
    expect(answered).toEqual(invalidField("cursor", CURSOR_PROBLEM));
  });

  it.each(["", "cursor=made-up"])("gives 503 while KV is down: %j", async (query) => {
    const ada = await newAdministrator(families[0].address);
    const { kv } = faultyKv("list", "KV GET failed: 500 Internal Server Error", 1);
    const message = "The store cannot be reached. Try again in a few seconds.";
    const answered = await read(ada, query, { env: { SMTP_SETTINGS: kv } });
    expect(answered).toEqual(answer(503, "SERVICE_UNAVAILABLE", message));
  });
});

describe("the history of another tenant", () => {
  it.each([
    ["its beginning", (victim: string) => `history:${victim}:`],
    ["before it", (victim: string) => `history:${victim.slice(0, -1)}`],
    ["the settings", (victim: string) => `smtp:${victim}`],
  ])("is not shown for a made-up cursor that points to %s", async (_, place) => {
    const [ada, victim] = [
      await newAdministrator(families[0].address),
      await newAdministrator(families[0].address),
    ];
    const ids = await remembered(victim.tenant, 3);
    const page = await readHistory(ada, { cursor: btoa(place(victim.tenant)), limit: "1" });
    expect(page).toMatchObject({ entries: [] });
    expect(JSON.stringify(page)).not.toContain(ids[0]);
  });

  it("is not shown even by a KV that takes a cursor's word before the prefix", async () => {
    const [ada, victim] = [
      await newAdministrator(families[0].address),
      await newAdministrator(families[0].address),
    ];
    await remembered(victim.tenant, 3);
    const gullible = new Proxy(env.SMTP_SETTINGS, {
      get: (target) => () => target.list({ prefix: `history:${victim.tenant}:`, limit: 2 }),
    });
    const url = `${histories[0].address(ada.tenant)}?cursor=made-up`;
    const response = await call(url, { token: ada.token, env: { SMTP_SETTINGS: gullible } });
    expect(await seen(response)).toEqual(invalidField("cursor", CURSOR_PROBLEM));
  });

  it("is not shown where its name begins with one's own", async () => {
    const ada = await newAdministrator(families[0].address);
    await remembered(`${ada.tenant}-2`, 1);
    expect(await readHistory(ada)).toMatchObject({ entries: [] });
  });
});

describe.each(histories)("reading history, $family", ({ address }) => {
  let ada: Administrator;
  let url: string;
  beforeEach(async () => {
    ada = await newAdministrator(families[0].address);
    url = address(ada.tenant);
    await remembered(ada.tenant, 1);
  });

  it("needs a token", async () => {
    const response = await call(url);
    expect(response.headers.get("WWW-Authenticate")).toBe("Bearer");
    expect(await seen(response)).toEqual(answer(401, "Unauthorized", "HTTP 401 Unauthorized."));
  });

  it("needs a token of the tenant itself", async () => {
    const mallory = await newAdministrator(families[0].address);
    const refused = answer(401, "Unauthorized", "HTTP 401 Unauthorized.");
    expect(await seen(await call(url, { token: mallory.token }))).toEqual(refused);
  });

  it("needs an administrator's role", async () => {
    const token = await ada.realm.token({ resource_access: {} });
    const message = "The token needs one of these roles: manage-realm.";
    expect(await seen(await call(url, { token }))).toEqual(answer(403, "FORBIDDEN", message));
  });

  it("needs https", async () => {
    const response = await call(url.replace("https:", "http:"), { token: ada.token });
    expect(await seen(response)).toMatchObject({ httpStatus: 403, body: { status: "FORBIDDEN" } });
  });

  it.each(["POST", "PUT", "DELETE"])("is all that can be done with it: %s is not allowed", async (method) => {
    const response = await call(url, { method, token: ada.token, env: {} });
    expect(response.headers.get("Allow")).toMatch(/^GET\b/);
    expect(await seen(response)).toMatchObject({ httpStatus: 405, body: { status: "METHOD_NOT_ALLOWED" } });
    expect((await readHistory(ada)).entries).toHaveLength(1);
  });
});
