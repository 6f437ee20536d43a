import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { SAMPLE_SETTINGS } from "../../scripts/lib/sample-settings.ts";
import { startMailServer } from "../support/smtp/mail-server.ts";
import { KeycloakClient } from "./support/keycloak.ts";
import { readSuite } from "./support/suite.ts";
import { WorkerClient } from "./support/worker.ts";

const TENANT = "acme";
const { keycloakUrl, certificate } = readSuite();
const keycloak = new KeycloakClient(keycloakUrl);
const worker = new WorkerClient("introspecting");

beforeEach(async () => {
  const { access_token } = await keycloak.password(TENANT, "ada", "mail-cli");
  await worker.delete(TENANT, access_token);
});

const owners = [
  ["admin-cli, ada", "ada", () => keycloak.password(TENANT, "ada", "admin-cli")],
  ["the admin console, ada", "ada", () => keycloak.console(TENANT, "ada")],
  ["admin-cli, rosa by composite role", "rosa", () => keycloak.password(TENANT, "rosa", "admin-cli")],
] as const;

describe("a lightweight access token", () => {
  it.each(owners)("names no one, and gets 403 with advice without introspection: %s", async (...row) => {
    const [, , request] = row;
    const { access_token } = await request();
    const claims = JSON.parse(Buffer.from(access_token.split(".")[1] ?? "", "base64url").toString());
    expect(Object.keys(claims).sort()).toEqual(["azp", "exp", "iat", "iss", "jti", "scope", "sid", "typ"]);
    expect(await new WorkerClient("plain").save(TENANT, access_token)).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining("Lightweight access tokens") },
    });
  });

  it.each(owners)("saves with introspection, in the name of its owner: %s", async (_, name, request) => {
    const { access_token } = await request();
    expect((await worker.save(TENANT, access_token)).status).toBe(200);
    expect(await worker.read(TENANT, access_token)).toMatchObject({ status: 200, body: { updatedBy: name } });
    const { body } = await worker.history(TENANT, access_token);
    const [latest] = body.entries as object[];
    expect(latest).toMatchObject({ action: "saved", by: { preferred_username: name } });
  });

  it("tests settings by a mail to the address that introspection returns", async () => {
    const server = await startMailServer({}, certificate);
    afterAll(() => server.close());
    const { access_token } = await keycloak.password(TENANT, "rosa", "admin-cli");
    const { port } = server;
    const local = {
      ...SAMPLE_SETTINGS,
      host: "localhost",
      port,
      user: "postmaster",
      password: "correct horse",
    };
    expect((await worker.save(TENANT, access_token, local)).status).toBe(200);
    expect((await worker.test(TENANT, access_token)).status).toBe(200);
    expect(server.messages).toMatchObject([{ rcptTo: ["rosa@example.com"], secure: true }]);
  });

  it.each<[string, number, () => Promise<{ access_token: string }>]>([
    [
      "of a user whose roles do not put the client into aud",
      401,
      () => keycloak.password(TENANT, "bob", "admin-cli"),
    ],
    ["of a delegated administrator", 403, () => keycloak.password(TENANT, "carol", "admin-cli")],
    ["of another realm", 401, () => keycloak.password("globex", "ada", "admin-cli")],
    ["of realm master", 401, async () => ({ access_token: await keycloak.masterToken() })],
    [
      "of an administrator who has logged out",
      401,
      async () => {
        const tokens = await keycloak.password(TENANT, "ada", "admin-cli");
        await keycloak.logOut(TENANT, "admin-cli", tokens);
        return tokens;
      },
    ],
  ])("saves nothing %s: %i", async (_, status, request) => {
    const { access_token } = await request();
    expect((await worker.save(TENANT, access_token)).status).toBe(status);
    const { access_token: administrator } = await keycloak.password(TENANT, "ada", "mail-cli");
    expect((await worker.read(TENANT, administrator)).status).toBe(404);
  });
});
