import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { type CallOptions, call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { faultyKv } from "../support/faulty-kv.ts";
import { histories, readHistory } from "../support/history.ts";
import { storeEntries } from "../support/history-entries.ts";
import { invalidField, jsonResponse, readJson, unauthorized } from "../support/responses.ts";

const invalidCursor = invalidField("cursor", "must be the cursor of the previous page");
const invalidLimit = invalidField("limit", "must be a whole number from 1 to 1000");

describe.each(histories)("the history route, $family", ({ address }) => {
  let ada: Administrator;
  let url: string;
  beforeEach(async () => {
    ada = await newAdministrator(families[0].address);
    url = address(ada.tenant);
  });

  async function get(query = "", options: CallOptions = {}) {
    return readJson(await call(`${url}${query}`, { token: ada.token, ...options }));
  }

  it("returns an empty history", async () => {
    const message = "Successfully read the history of SMTP Details";
    expect(await get()).toEqual(jsonResponse(200, "OK", message, { entries: [] }));
  });

  it("returns the entries page by page", async () => {
    const [newer, older] = await storeEntries(ada.tenant, 2);
    const first = await get("?limit=1");
    expect(first.body).toMatchObject({ entries: [{ requestId: newer }], cursor: expect.any(String) });
    const { cursor } = first.body as { cursor: string };
    const last = await get(`?limit=1&cursor=${encodeURIComponent(cursor)}`);
    expect(last).toMatchObject({ httpStatus: 200, body: { entries: [{ requestId: older }] } });
    expect(last.body).not.toHaveProperty("cursor");
  });

  it.each(["limit=0", "limit=1&limit=2"])("rejects %s", async (query) => {
    expect(await get(`?${query}`)).toEqual(invalidLimit);
  });

  it("rejects two cursors", async () => {
    expect(await get("?cursor=a&cursor=b")).toEqual(invalidCursor);
  });

  it("rejects a cursor that KV rejects", async () => {
    const { kv } = faultyKv("list", "KV GET failed: 400 Bad Request", 1);
    expect(await get("?cursor=made-up", { env: { SMTP_SETTINGS: kv } })).toEqual(invalidCursor);
  });

  it.each(["", "?cursor=made-up"])("responds 503 while KV is unavailable: %j", async (query) => {
    const { kv } = faultyKv("list", "KV GET failed: 500 Internal Server Error", 1);
    const message = "The store is unavailable. Try again in a few seconds.";
    expect(await get(query, { env: { SMTP_SETTINGS: kv } })).toEqual(
      jsonResponse(503, "SERVICE_UNAVAILABLE", message),
    );
  });

  it("rejects a request without a token", async () => {
    const response = await call(url);
    expect(response.headers.get("WWW-Authenticate")).toBe("Bearer");
    expect(await readJson(response)).toEqual(unauthorized);
  });

  it("rejects another tenant's token", async () => {
    const mallory = await newAdministrator(families[0].address);
    expect(await get("", { token: mallory.token })).toEqual(unauthorized);
  });

  it("rejects a token without an administrator's role", async () => {
    const token = await ada.realm.token({ resource_access: {} });
    const message = "The token needs one of these roles: realm-management/manage-realm.";
    expect(await get("", { token })).toEqual(jsonResponse(403, "FORBIDDEN", message));
  });

  it("rejects plain http", async () => {
    const response = await call(url.replace("https:", "http:"), { token: ada.token });
    expect(await readJson(response)).toMatchObject({ httpStatus: 403, body: { status: "FORBIDDEN" } });
  });

  it.each(["POST", "PUT", "DELETE"])("rejects %s, and changes nothing", async (method) => {
    await storeEntries(ada.tenant, 1);
    const response = await call(url, { method, token: ada.token, env: {} });
    expect(response.headers.get("Allow")).toMatch(/^GET\b/);
    expect(await readJson(response)).toMatchObject({
      httpStatus: 405,
      body: { status: "METHOD_NOT_ALLOWED" },
    });
    expect((await readHistory(ada)).entries).toHaveLength(1);
  });
});

describe("the history routes", () => {
  it("return 50 entries by default", async () => {
    const ada = await newAdministrator(families[0].address);
    await storeEntries(ada.tenant, 51);
    expect((await readHistory(ada)).entries).toHaveLength(50);
    expect((await readHistory(ada, { limit: "1000" })).entries).toHaveLength(51);
  });

  it("return the same in both address families", async () => {
    const ada = await newAdministrator(families[0].address);
    await storeEntries(ada.tenant, 2);
    const [ssms, shift] = await Promise.all(
      histories.map(async ({ address }) => readJson(await call(address(ada.tenant), { token: ada.token }))),
    );
    expect(ssms).toEqual(shift);
    expect(ssms).toMatchObject({ httpStatus: 200, body: { entries: [{}, {}] } });
  });
});
