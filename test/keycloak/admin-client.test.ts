import { describe, expect, it, vi } from "vitest";
import {
  KEYCLOAK_TIMEOUT_MS,
  KeycloakAdminClient,
  REALM_MAX_BYTES,
  type Realm,
} from "../../src/keycloak/admin-client.ts";
import { KeycloakError } from "../../src/keycloak/errors.ts";

const URL = "https://keycloak.test/admin/realms/acme";
const REALM: Realm = {
  attributes: { plan: "gold" },
  smtpServer: { host: "old" },
  oauth2DeviceCodeLifespan: 777,
  oauth2DevicePollingInterval: 9,
};

describe("readRealm", () => {
  it("returns what an update has to send, and nothing else", async () => {
    const { client, fetch } = clientWith(async () => Response.json({ ...REALM, realm: "acme", id: "1" }));
    expect(await client.readRealm()).toEqual(REALM);
    expect(fetch).toHaveBeenCalledExactlyOnceWith(URL, {
      method: "GET",
      headers: { Accept: "application/json", Authorization: "Bearer token", "User-Agent": "tenant-mail" },
      redirect: "manual",
      signal: expect.any(AbortSignal),
    });
  });

  it.each<[string, () => Promise<Response>, KeycloakError["outcome"], string]>([
    ["cannot connect", () => Promise.reject(new Error("refused")), "failed", "Keycloak is unreachable"],
    ["gets 403", status(403), "forbidden", "Keycloak responded 403"],
    ...[302, 401, 404, 500].map((code): [string, () => Promise<Response>, "failed", string] => [
      `gets ${code}`,
      status(code),
      "failed",
      `Keycloak responded ${code}`,
    ]),
    [
      "gets a realm without settings, as without view-realm",
      async () => Response.json({ realm: "acme", bruteForceProtected: false }),
      "forbidden",
      "Keycloak withholds the realm's settings",
    ],
    [
      "gets a realm without attributes",
      async () => Response.json({ smtpServer: {} }),
      "forbidden",
      "Keycloak withholds the realm's settings",
    ],
    ["gets no JSON", async () => new Response("<html>"), "failed", "Keycloak's response is not a realm"],
    ["gets a list", async () => Response.json([]), "failed", "Keycloak's response is not a realm"],
    [
      "gets too many bytes",
      async () => new Response(" ".repeat(REALM_MAX_BYTES + 1)),
      "failed",
      "Keycloak's response is too large",
    ],
  ])("fails if it %s", async (_, fetch, outcome, message) => {
    const { client } = clientWith(fetch);
    await expectError(client.readRealm(), outcome, message);
  });
});

describe("updateRealm", () => {
  it("sends what was read, with other settings", async () => {
    const { client, fetch } = clientWith(status(204));
    await client.updateRealm({ ...REALM, smtpServer: { host: "new" } });
    const [address, { method, body, redirect } = {}] = fetch.mock.lastCall ?? [];
    expect([address, method, redirect]).toEqual([URL, "PUT", "manual"]);
    expect(JSON.parse(String(body))).toEqual({ ...REALM, smtpServer: { host: "new" } });
  });

  it.each<[string, () => Promise<Response>, KeycloakError["outcome"], string]>([
    ["gets no response", () => Promise.reject(new Error("lost")), "unknown", "Keycloak did not respond"],
    ["gets 403", status(403), "forbidden", "Keycloak responded 403"],
    ["gets 302", status(302), "failed", "Keycloak responded 302"],
    ["gets 400", status(400), "failed", "Keycloak responded 400"],
    ["gets 409", status(409), "failed", "Keycloak responded 409"],
    ["gets 500", status(500), "unknown", "Keycloak responded 500"],
    ["gets 504 from a proxy", status(504), "unknown", "Keycloak responded 504"],
  ])("fails if it %s", async (_, fetch, outcome, message) => {
    const { client } = clientWith(fetch);
    await expectError(client.updateRealm(REALM), outcome, message);
  });

  it("has a time limit", async () => {
    const timeout = vi.spyOn(AbortSignal, "timeout");
    await clientWith(status(204)).client.updateRealm(REALM);
    expect(timeout).toHaveBeenCalledExactlyOnceWith(KEYCLOAK_TIMEOUT_MS);
    timeout.mockRestore();
  });
});

function clientWith(fetch: (url: string, init: RequestInit) => Promise<Response>) {
  const spy = vi.fn(fetch);
  return { client: new KeycloakAdminClient(URL, "token", spy), fetch: spy };
}

function status(code: number): () => Promise<Response> {
  return async () => new Response(code === 204 ? null : "{}", { status: code });
}

async function expectError(
  work: Promise<unknown>,
  outcome: KeycloakError["outcome"],
  message: string,
): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(KeycloakError);
  expect(error).toMatchObject({ outcome, message });
}
