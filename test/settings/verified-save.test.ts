import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { SettingsStore } from "../../src/settings/store.ts";
import { countingKv } from "../support/counting-kv.ts";
import { eventually } from "../support/eventually.ts";
import { families } from "../support/families.ts";
import { readHistory } from "../support/history.ts";
import { interceptedKv } from "../support/intercepted-kv.ts";
import { localSettings } from "../support/local-settings.ts";
import { deleted, jsonResponse, saved } from "../support/responses.ts";
import { authenticated, replies } from "../support/smtp/scripts.ts";
import { scriptedServer, type TestServer } from "../support/smtp/servers.ts";
import { newSmtpTestClient, type SmtpTestClient } from "../support/smtp/smtp-test-client.ts";

const settingsChanged = jsonResponse(
  412,
  "PRECONDITION_FAILED",
  "The stored settings changed during this request. Read them again.",
);

/** Accepts a probe, once the test releases it. */
function waitingServer(): Promise<TestServer> {
  return scriptedServer([
    ...authenticated(),
    { expect: "MAIL" },
    { wait: true },
    { send: "250 2.1.0 ok\r\n" },
    ...replies("RCPT", "250 2.1.5 ok"),
    ...replies("RSET", "250 2.0.0 ok"),
  ]);
}

/** Saves with verify=true, and runs `change` while the server waits. */
async function saveDuring(
  change: () => Promise<unknown>,
  {
    client,
    server,
    ifMatch,
    changes = {},
  }: { client: SmtpTestClient; server: TestServer; ifMatch?: string; changes?: object },
) {
  const settings = localSettings(server.port, { fromDisplayName: "Verified", ...changes });
  const headers = ifMatch === undefined ? {} : { "If-Match": ifMatch };
  const verified = client.save(settings, "?verify=true", { headers });
  await eventually(async () =>
    expect((await server.state()).lines).toContainEqual(expect.stringMatching(/^MAIL/)),
  );
  await change();
  await server.release();
  return verified;
}

async function etagOf({ ada }: SmtpTestClient): Promise<string> {
  return (await ada.send()).headers.get("ETag") ?? "";
}

describe.concurrent.each(families)("a save with verify=true, $family", (family) => {
  it.each([
    ["another save", true],
    ["another save", false],
    ["a delete", true],
    ["a delete", false],
    ["the first save", false],
  ])("changes nothing after %s during the test (with If-Match: %j)", async (change, withIfMatch) => {
    const client = await newSmtpTestClient(family);
    const server = await waitingServer();
    const { ada } = client;
    const other = localSettings(server.port, { from: "other@example.com", password: "another" });
    if (change !== "the first save") expect(await client.save(localSettings(server.port))).toEqual(saved);
    const ifMatch = withIfMatch ? { ifMatch: await etagOf(client) } : {};
    let afterChange: string | null = null;
    const response = await saveDuring(
      async () => {
        const changed = change === "a delete" ? await ada.delete() : await client.save(other);
        expect(changed).toEqual(change === "a delete" ? deleted : saved);
        afterChange = await ada.sealed();
      },
      { client, server, ...ifMatch },
    );
    expect(response).toEqual(settingsChanged);
    expect(await ada.sealed()).toBe(afterChange);
    expect((await readHistory(ada)).entries[0]).toMatchObject({
      action: "tested",
      test: { host: "localhost", port: server.port, settings: "sent" },
    });
  });
});

describe.concurrent("a save with verify=true", () => {
  const [family] = families;

  it("does not restore a password that was deleted during the test", async () => {
    const client = await newSmtpTestClient(family);
    const server = await waitingServer();
    await client.save(localSettings(server.port));
    const changes = { password: "**********" };
    const response = await saveDuring(() => client.ada.delete(), { client, server, changes });
    expect(response).toEqual(settingsChanged);
    expect(await client.ada.sealed()).toBeNull();
  });

  it("replaces settings that a key rotation resealed during the test", async () => {
    const client = await newSmtpTestClient(family);
    const server = await waitingServer();
    await client.save(localSettings(server.port));
    const { settingsKeys } = await loadConfig(env);
    const reseal = () =>
      new SettingsStore(env.SMTP_SETTINGS, settingsKeys).reseal({
        tenant: client.ada.tenant,
        kid: undefined,
        updatedAt: undefined,
      });
    const before = await client.ada.sealed();
    const response = await saveDuring(
      async () => {
        expect(await reseal()).toBe(true);
        expect(await client.ada.sealed()).not.toBe(before);
      },
      { client, server, ifMatch: await etagOf(client) },
    );
    expect(response).toEqual(saved);
    expect((await client.ada.opened()).settings.fromDisplayName).toBe("Verified");
  });

  it("records the fields that differ from what was stored before the test", async () => {
    const client = await newSmtpTestClient(family);
    const server = await waitingServer();
    await client.save(localSettings(server.port));
    expect(await saveDuring(async () => {}, { client, server })).toEqual(saved);
    const { entries } = await readHistory(client.ada);
    expect(entries.map(({ action }) => action)).toEqual(["saved", "saved"]);
    expect(entries[0]).toMatchObject({ changed: ["fromDisplayName"] });
  });

  it("costs one more KV get than a plain save", async () => {
    const client = await newSmtpTestClient(family);
    const server = await waitingServer();
    await server.release();
    const { kv, operations } = countingKv(env.SMTP_SETTINGS);
    const options = { env: { ALLOW_PRIVATE_HOSTS: "true", SMTP_SETTINGS: kv } };
    expect(await client.save(localSettings(server.port), "?verify=true", options)).toEqual(saved);
    expect(operations).toEqual(["get smtp", "get smtp", "put smtp", "put history"]);
  });

  it("responds 503 and changes nothing if the settings cannot be read after the test", async () => {
    const client = await newSmtpTestClient(family);
    const server = await waitingServer();
    await server.release();
    await client.save(localSettings(server.port));
    const before = await client.ada.sealed();
    let reads = 0;
    const SMTP_SETTINGS = interceptedKv(env.SMTP_SETTINGS, (operation, key) => {
      if (operation !== "get" || !key.startsWith("smtp:")) return;
      if (++reads === 2) throw new Error("KV GET failed: 503 Service Unavailable");
    });
    const settings = localSettings(server.port, { fromDisplayName: "Verified" });
    const options = { env: { ALLOW_PRIVATE_HOSTS: "true", SMTP_SETTINGS } };
    expect((await client.save(settings, "?verify=true", options)).httpStatus).toBe(503);
    expect(reads).toBe(2);
    expect(await client.ada.sealed()).toBe(before);
  });
});
