import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CONSOLE_SETTINGS } from "../support/console-settings.ts";
import { type MailServer, startMailServer } from "../support/smtp/mail-server.ts";
import { differencesOf } from "./support/differences.ts";
import { KeycloakClient } from "./support/keycloak.ts";
import { PROTECTED_SETTINGS } from "./support/realms.ts";
import { readSuite } from "./support/suite.ts";
import { WorkerClient } from "./support/worker.ts";

const TENANT = "hooli";
const { keycloakUrl, certificate } = readSuite();
const keycloak = new KeycloakClient(keycloakUrl);
const worker = new WorkerClient("applying");

let mailServer: MailServer;
let ada: string;

beforeAll(async () => {
  mailServer = await startMailServer({}, certificate);
  const { attributes } = await keycloak.realm(TENANT);
  const merged = { ...(attributes as object), ...PROTECTED_SETTINGS.attributes };
  await keycloak.admin("PUT", `/${TENANT}`, { ...PROTECTED_SETTINGS, attributes: merged });
});

afterAll(() => mailServer.close());

beforeEach(async () => {
  ada = (await keycloak.password(TENANT, "ada", "admin-cli")).access_token;
  await worker.delete(TENANT, ada);
});

function localSettings(changes: object = {}) {
  return {
    host: "localhost",
    port: mailServer.port,
    from: "sender@example.com",
    fromDisplayName: "Hooli",
    starttls: true,
    user: "postmaster",
    password: "correct horse",
    ...changes,
  };
}

describe("a save", () => {
  it("changes nothing of the realm but smtpServer", async () => {
    const before = await keycloak.realm(TENANT);
    expect(before).toMatchObject(PROTECTED_SETTINGS);
    expect(await worker.save(TENANT, ada, localSettings())).toMatchObject({
      status: 200,
      body: { message: "Successfully updated SMTP Details" },
    });
    const differences = differencesOf(before, await keycloak.realm(TENANT));
    expect(differences).toEqual([
      'smtpServer.auth: undefined -> "true"',
      'smtpServer.authType: undefined -> "basic"',
      'smtpServer.from: undefined -> "sender@example.com"',
      'smtpServer.fromDisplayName: undefined -> "Hooli"',
      'smtpServer.host: undefined -> "localhost"',
      'smtpServer.password: undefined -> "**********"',
      `smtpServer.port: undefined -> "${mailServer.port}"`,
      'smtpServer.ssl: undefined -> "false"',
      'smtpServer.starttls: undefined -> "true"',
      'smtpServer.user: undefined -> "postmaster"',
    ]);
  });

  it("makes Keycloak itself send its mail with the settings", async () => {
    expect((await worker.save(TENANT, ada, localSettings())).status).toBe(200);
    mailServer.messages.length = 0;
    await requestActions("bob");
    const [mail] = mailServer.messages;
    expect(mail).toMatchObject({
      mailFrom: "sender@example.com",
      rcptTo: ["bob@example.com"],
      user: "postmaster",
      secure: true,
      raw: expect.stringContaining(`${keycloakUrl}/realms/${TENANT}/login-actions/action-token`),
    });
  });

  it("keeps the stored password, also in Keycloak, if the mask is sent", async () => {
    await worker.save(TENANT, ada, localSettings());
    const renamed = localSettings({ password: "**********", fromDisplayName: "Renamed" });
    expect((await worker.save(TENANT, ada, renamed, "?verify=true")).status).toBe(200);
    mailServer.messages.length = 0;
    await requestActions("bob");
    expect(mailServer.messages).toMatchObject([
      { user: "postmaster", raw: expect.stringContaining("Renamed") },
    ]);
  });

  it("applies authType token with the client secret", async () => {
    const token = {
      authType: "token",
      authTokenUrl: "https://login.example.com/token",
      authTokenScope: "smtp",
      authTokenClientId: "mail",
    };
    const settings = localSettings({ ...token, password: "", authTokenClientSecret: "client-secret" });
    expect((await worker.save(TENANT, ada, settings)).status).toBe(200);
    expect((await keycloak.realm(TENANT)).smtpServer).toMatchObject({
      ...token,
      authTokenClientSecret: "**********",
    });
  });

  it("is possible with a token of a service account", async () => {
    const { access_token } = await keycloak.serviceAccount(TENANT);
    expect((await worker.save(TENANT, access_token, localSettings())).status).toBe(200);
    expect((await keycloak.realm(TENANT)).smtpServer).toMatchObject({ host: "localhost" });
  });

  it("gets 403 if Keycloak has taken the role from the caller since", async () => {
    const before = await keycloak.realm(TENANT);
    // The role is in the token, but Keycloak has taken it from the user since.
    const { access_token } = await keycloak.password(TENANT, "rosa", "mail-cli");
    await keycloak.removeRealmAdmin(TENANT, "rosa");
    expect(await worker.save(TENANT, access_token, localSettings())).toMatchObject({
      status: 403,
      body: {
        message: "Keycloak does not let this token change the realm's email settings. Nothing was changed.",
      },
    });
    expect(differencesOf(before, await keycloak.realm(TENANT))).toEqual([]);
    expect((await worker.read(TENANT, ada)).status).toBe(404);
  });
});

describe("what the admin console sends", () => {
  it("is the same in Keycloak after a save here as after a save there", async () => {
    await keycloak.admin("PUT", `/${TENANT}/ui-ext`, {
      ...(await keycloak.realm(TENANT)),
      smtpServer: CONSOLE_SETTINGS,
    });
    const { smtpServer: there } = await keycloak.realm(TENANT);
    expect((await worker.save(TENANT, ada, CONSOLE_SETTINGS)).status).toBe(200);
    const { smtpServer: here } = await keycloak.realm(TENANT);
    expect(present(here)).toEqual(present(there));
  });

  it("is accepted here as Keycloak returns it", async () => {
    await keycloak.admin("PUT", `/${TENANT}`, {
      ...(await keycloak.realm(TENANT)),
      smtpServer: CONSOLE_SETTINGS,
    });
    const { smtpServer } = await keycloak.realm(TENANT);
    const settings = { ...(smtpServer as object), password: CONSOLE_SETTINGS.password };
    expect((await worker.save(TENANT, ada, settings)).status).toBe(200);
  });
});

describe("a delete", () => {
  it("clears smtpServer, and nothing else", async () => {
    const before = await keycloak.realm(TENANT);
    expect(before.smtpServer).toEqual({});
    await worker.save(TENANT, ada, localSettings());
    expect((await worker.delete(TENANT, ada)).status).toBe(200);
    expect(differencesOf(before, await keycloak.realm(TENANT))).toEqual([]);
  });
});

/** Lets Keycloak send a mail with a link to the actions that it requires of a user. */
async function requestActions(username: string): Promise<void> {
  const id = await keycloak.userId(TENANT, username);
  await keycloak.admin("PUT", `/${TENANT}/users/${id}/execute-actions-email`, ["VERIFY_EMAIL"]);
}

/** Without empty members. */
function present(smtpServer: unknown): object {
  return Object.fromEntries(Object.entries(smtpServer as object).filter(([, value]) => value !== ""));
}
