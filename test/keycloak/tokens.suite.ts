import { beforeAll, describe, expect, it } from "vitest";
import { KeycloakClient } from "./support/keycloak.ts";
import { readSuite } from "./support/suite.ts";
import { WorkerClient } from "./support/worker.ts";

const TENANT = "acme";
const keycloak = new KeycloakClient(readSuite().keycloakUrl);
const worker = new WorkerClient("plain");

let administrator: string;

beforeAll(async () => {
  administrator = (await keycloak.password(TENANT, "ada", "mail-cli")).access_token;
});

describe("an access token", () => {
  it.each<[string, string, () => Promise<{ access_token: string }>]>([
    ["the password grant", "ada", () => keycloak.password(TENANT, "ada", "mail-cli")],
    ["a code with PKCE", "ada", () => keycloak.code(TENANT, "ada", "mail-page")],
    ["an administrator by composite role", "rosa", () => keycloak.password(TENANT, "rosa", "mail-cli")],
    ["client credentials", "service-account-mailer", () => keycloak.serviceAccount(TENANT)],
  ])("saves, reads and deletes settings, in the name of its owner: %s", async (_, name, request) => {
    const { access_token } = await request();
    expect(await worker.save(TENANT, access_token)).toMatchObject({
      status: 200,
      body: { message: "Successfully updated SMTP Details" },
    });
    expect(await worker.read(TENANT, access_token)).toMatchObject({ status: 200, body: { updatedBy: name } });
    expect((await worker.delete(TENANT, access_token)).status).toBe(200);
  });
});

describe("a token that is not valid for the tenant", () => {
  it.each<[string, () => Promise<string | undefined>]>([
    ["of the other realm", async () => (await keycloak.password("globex", "ada", "mail-cli")).access_token],
    ["of realm master", () => keycloak.masterToken()],
    ["for refreshing", async () => (await keycloak.password(TENANT, "ada", "mail-cli")).refresh_token],
    ["for identification", async () => (await keycloak.password(TENANT, "ada", "mail-cli")).id_token],
    [
      "for offline access",
      async () => (await keycloak.password(TENANT, "ada", "mail-cli", "openid offline_access")).refresh_token,
    ],
    ["bound by DPoP", async () => (await keycloak.dpopBound(TENANT, "ada", "mail-dpop")).access_token],
  ])("gets 401, and changes nothing: %s", async (_, request) => {
    const token = (await request()) ?? "";
    expect(token.split(".")).toHaveLength(3);
    expect(await worker.save(TENANT, token)).toMatchObject({
      status: 401,
      headers: { "www-authenticate": 'Bearer error="invalid_token"' },
      body: { message: "HTTP 401 Unauthorized." },
    });
    expect((await worker.read(TENANT, administrator)).status).toBe(404);
  });
});

describe("a user who may not manage the realm", () => {
  it("gets 403 as a delegated administrator with only manage-clients", async () => {
    const { access_token } = await keycloak.password(TENANT, "carol", "mail-cli");
    expect(await worker.save(TENANT, access_token)).toMatchObject({
      status: 403,
      headers: { "www-authenticate": 'Bearer error="insufficient_scope"' },
      body: { message: "The token needs one of these roles: realm-management/manage-realm." },
    });
    expect((await worker.read(TENANT, administrator)).status).toBe(404);
  });

  it("gets 403 without any role", async () => {
    const { access_token } = await keycloak.password(TENANT, "bob", "mail-cli");
    expect((await worker.save(TENANT, access_token)).status).toBe(403);
    expect((await worker.read(TENANT, administrator)).status).toBe(404);
  });

  it("gets 403 although manage-clients has created a client scope named manage-realm", async () => {
    const { access_token: carol } = await keycloak.password(TENANT, "carol", "admin-cli");
    const attributes = { "include.in.token.scope": "true" };
    const scope = { name: "manage-realm", protocol: "openid-connect", attributes };
    const created = await keycloak.admin("POST", `/${TENANT}/client-scopes`, scope, carol);
    const scopeId = created.headers.get("Location")?.split("/").at(-1);
    const clients = await keycloak.admin("GET", `/${TENANT}/clients?clientId=mail-cli`, undefined, carol);
    const [client] = (await clients.json()) as { id: string }[];
    await keycloak.admin(
      "PUT",
      `/${TENANT}/clients/${client?.id}/default-client-scopes/${scopeId}`,
      undefined,
      carol,
    );
    const { access_token, scope: granted } = await keycloak.password(TENANT, "carol", "mail-cli");
    expect(granted.split(" ")).toContain("manage-realm");
    expect((await worker.save(TENANT, access_token)).status).toBe(403);
    expect((await worker.read(TENANT, administrator)).status).toBe(404);
  });
});
