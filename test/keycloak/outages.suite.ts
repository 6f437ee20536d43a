import { afterAll, describe, expect, it } from "vitest";
import { KeycloakClient } from "./support/keycloak.ts";
import { readSuite } from "./support/suite.ts";
import { WorkerClient } from "./support/worker.ts";

const { keycloakUrl, controlUrl } = readSuite();
const keycloak = new KeycloakClient(keycloakUrl);
const worker = new WorkerClient("plain");
const applying = new WorkerClient("applying");
const introspecting = new WorkerClient("introspecting");

/** Keycloak takes half a minute to start. */
const RESTART_TIMEOUT_MS = 300_000;

/** The Worker fetches keys again 30 s after the last fetch, or 10 s after a failure. */
const COOLDOWN = { timeout: 45_000, interval: 1_000 };

describe("keys of a realm", () => {
  it("may be rotated: tokens of the old and the new key are valid", async () => {
    const realm = "globex";
    const { access_token: old } = await keycloak.password(realm, "ada", "mail-cli");
    expect((await worker.read(realm, old)).status).toBe(404);
    await addKey(realm);
    const { access_token: next } = await keycloak.password(realm, "ada", "mail-cli");
    expect(kidOf(next)).not.toBe(kidOf(old));
    await expect.poll(async () => (await worker.read(realm, next)).status, COOLDOWN).toBe(404);
    expect((await worker.read(realm, old)).status).toBe(404);
  });
});

describe("a disabled realm", () => {
  const realm = "initech";
  afterAll(async () => void (await keycloak.admin("PUT", `/${realm}`, { enabled: true })));

  it("issues no tokens, but still publishes its keys, so issued tokens live until they expire", async () => {
    const { access_token } = await keycloak.password(realm, "ada", "mail-cli");
    await keycloak.admin("PUT", `/${realm}`, { enabled: false });
    await expect(keycloak.password(realm, "ada", "mail-cli")).rejects.toThrow(/Realm not enabled/);
    expect((await worker.read(realm, access_token)).status).toBe(404);
  });

  it("introspects no tokens, so lightweight ones get 401 at once", async () => {
    await keycloak.admin("PUT", `/${realm}`, { enabled: true });
    const { access_token } = await keycloak.password(realm, "rosa", "admin-cli");
    await keycloak.admin("PUT", `/${realm}`, { enabled: false });
    expect((await introspecting.read(realm, access_token)).status).toBe(401);
  });
});

describe("Keycloak", () => {
  it("may stop: known keys stay in use, unknown ones cause 503, and both work once it runs again", {
    timeout: RESTART_TIMEOUT_MS,
  }, async () => {
    const { access_token: known } = await keycloak.password("acme", "ada", "mail-cli");
    const { access_token: unknown } = await keycloak.password("umbrella", "ada", "mail-cli");
    const { access_token: lightweight } = await keycloak.password("acme", "ada", "admin-cli");
    expect((await worker.read("acme", known)).status).toBe(404);
    expect((await introspecting.read("acme", known)).status).toBe(404);
    expect((await applying.read("acme", known)).status).toBe(404);

    await control("stop");
    expect((await worker.read("acme", known)).status).toBe(404);
    expect(await worker.read("umbrella", unknown)).toMatchObject({
      status: 503,
      headers: { "retry-after": "10" },
      body: { message: "The issuer's signing keys are unavailable. Try again in a few seconds." },
    });
    expect(await introspecting.read("acme", lightweight)).toMatchObject({
      status: 503,
      headers: { "retry-after": "5" },
      body: { message: "The issuer's token introspection is unavailable. Try again in a few seconds." },
    });
    expect(await applying.save("acme", known)).toMatchObject({
      status: 502,
      body: { message: "Keycloak is unreachable. Nothing was changed." },
    });
    expect((await applying.read("acme", known)).status).toBe(404);

    await control("start");
    await expect.poll(async () => (await worker.read("umbrella", unknown)).status, COOLDOWN).toBe(404);
    await expect.poll(async () => (await introspecting.read("acme", lightweight)).status, COOLDOWN).toBe(404);
    const { access_token: fresh } = await keycloak.password("acme", "ada", "mail-cli");
    expect((await worker.read("acme", fresh)).status).toBe(404);
  });
});

async function control(action: "stop" | "start"): Promise<void> {
  const response = await fetch(`${controlUrl}/${action}`, { method: "POST" });
  if (!response.ok) throw new Error(await response.text());
}

/** Adds a signing key that takes precedence over the others. */
async function addKey(realm: string): Promise<void> {
  const { id } = await keycloak.realm(realm);
  await keycloak.admin("POST", `/${realm}/components`, {
    name: "rotated",
    parentId: id,
    providerId: "rsa-generated",
    providerType: "org.keycloak.keys.KeyProvider",
    config: { priority: ["1000"], enabled: ["true"], active: ["true"], algorithm: ["RS256"] },
  });
}

function kidOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
}
