import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { decodeProtectedHeader, importJWK, jwtDecrypt } from "jose";
import { newAuthority, trust } from "../test/support/smtp/certificates.ts";
import { startMailServer } from "../test/support/smtp/mail-server.ts";
import { type ReceivedResponse, sendRequest, shiftUrl, ssmsUrl } from "./lib/http-client.ts";
import { secretsFileIn } from "./lib/local-files.ts";
import { localIssuerIn } from "./lib/local-issuer.ts";
import { type Defer, run } from "./lib/run.ts";
import { SAMPLE_SETTINGS } from "./lib/sample-settings.ts";
import { Steps } from "./lib/steps.ts";
import { startWranglerDev, stateFolder, wrangler } from "./lib/wrangler.ts";

const TENANT = "acme";
const OTHER_TENANT = "globex";

// Random, so that a search for them in files and logs finds nothing else.
const PASSWORD = `demo-${crypto.randomUUID()}`;
const RECIPIENT = `ada-${crypto.randomUUID()}`;
const CODE = `code-${crypto.randomUUID()}`;

await run(async (defer) => {
  const folder = await mkdtemp(join(tmpdir(), "tenant-mail-demo-"));
  defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  const issuer = await localIssuerIn(folder);
  const secretsFile = await secretsFileIn(folder);
  const authority = await newAuthority();
  trust(authority);
  const mailServer = await startMailServer({ password: PASSWORD }, authority.trusted);
  defer(async () => mailServer.close());
  const vars = { ...issuer.vars, ALLOW_PRIVATE_HOSTS: "true" };
  const options = { port: 0, vars, secretsFile };
  const [httpsFolder, httpFolder] = [join(folder, "https"), join(folder, "http")];
  console.log("Starting wrangler dev twice, as one port serves either https or http ...");
  const [https, http] = await Promise.all([
    startWranglerDev({ ...options, protocol: "https", folder: httpsFolder }, defer),
    startWranglerDev({ ...options, protocol: "http", folder: httpFolder }, defer),
  ]);

  const [token, otherToken] = [await issuer.token(TENANT), await issuer.token(OTHER_TENANT)];
  const url = ssmsUrl("https", https.port, TENANT);
  const settings = { ...SAMPLE_SETTINGS, password: PASSWORD };
  const localSettings = {
    ...settings,
    host: "localhost",
    port: mailServer.port,
    user: "postmaster",
  };
  const steps = new Steps();

  await steps.step("Plain http is rejected", async (show) => {
    const plainUrl = ssmsUrl("http", http.port, TENANT);
    const response = show(await sendRequest("POST", plainUrl, { token, body: settings }));
    assert.equal(response.status, 403);
    assert.equal(response.body.status, "FORBIDDEN");
    assert.equal(response.headers.location, undefined);
    return "a valid token does not help, and no redirect hides that it was sent in clear text";
  });

  await steps.step("A request without a token is rejected", async (show) => {
    const response = show(await sendRequest("POST", url, { body: settings }));
    assertUnauthorized(response, "Bearer");
    return "saving requires a token";
  });

  await steps.step("A token of another tenant is rejected", async (show) => {
    for (const target of [url, shiftUrl(https.port, TENANT)]) {
      const response = show(await sendRequest("POST", target, { token: otherToken, body: settings }));
      assertUnauthorized(response, 'Bearer error="invalid_token"');
    }
    const own = ssmsUrl("https", https.port, OTHER_TENANT);
    assert.equal(show(await sendRequest("GET", own, { token: otherToken })).status, 404);
    assert.equal(show(await sendRequest("GET", url, { token })).status, 404);
    return `the same token is valid for ${OTHER_TENANT}, and the rejected requests stored nothing`;
  });

  await steps.step("The sample settings are saved", async (show) => {
    const response = show(await sendRequest("POST", url, { token, body: settings }));
    assert.equal(response.status, 200);
    assert.deepEqual(response.body, {
      message: "Successfully updated SMTP Details",
      status: "OK",
      subSystem: 8,
    });
    return "an administrator of the tenant saves, and the response matches the contract exactly";
  });

  await steps.step("Both address families return them with the password masked", async (show) => {
    for (const target of [url, shiftUrl(https.port, TENANT)]) {
      const response = show(await sendRequest("GET", target, { token }));
      assert.equal(response.status, 200);
      const { envelopeFrom: _, ...others } = settings;
      const expected = { ...others, starttls: true, ssl: false, password: "**********" };
      assert.deepEqual(response.body.settings, expected);
    }
    return "reading returns what was saved, except for the password";
  });

  await steps.step("The value in KV is encrypted", async (_, print) => {
    const jwe = await storedValue(httpsFolder, defer);
    print(`KV smtp:${TENANT} = ${jwe.slice(0, 100)}... (${jwe.length} characters)`);
    const header = decodeProtectedHeader(jwe);
    print(`its JWE header: ${JSON.stringify(header)}`);
    assert.deepEqual([header.alg, header.enc], ["A256KW", "A256GCM"]);
    const [jwk] = JSON.parse(/'(.*)'/.exec(await readFile(secretsFile, "utf8"))?.[1] ?? "").keys;
    const { payload } = await jwtDecrypt<{ settings: typeof settings }>(jwe, await importJWK(jwk), {
      subject: TENANT,
    });
    assert.equal(payload.settings.password, PASSWORD);
    return "the key in SETTINGS_KEYS decrypts it to the password that was saved";
  });

  await steps.step(
    "verify=true tests the settings before saving them, and a test mail arrives",
    async (show, print) => {
      const verified = `${url}?verify=true`;
      assert.equal(show(await sendRequest("POST", verified, { token, body: localSettings })).status, 200);
      const response = show(
        await sendRequest("POST", ssmsUrl("https", https.port, TENANT, "test"), { token }),
      );
      assert.equal(response.status, 200);
      assert.equal(response.body.message, "Mail Sent Successfully to the user");
      const [mail] = mailServer.messages;
      assert.ok(mail?.secure);
      assert.deepEqual(mail.rcptTo, ["local-admin@example.com"]);
      print(`received over TLS from user ${mail.user}:`);
      for (const line of mail.raw.trimEnd().split("\r\n")) print(`  | ${line}`);
      return "the settings deliver mail through a real SMTP server with a verified certificate";
    },
  );

  await steps.step("A wrong password is diagnosed, and changes nothing", async (show) => {
    const broken = { ...localSettings, password: `${PASSWORD}-not` };
    const response = show(await sendRequest("POST", `${url}?verify=true`, { token, body: broken }));
    assert.equal(response.status, 502);
    assert.equal(response.body.stage, "authentication");
    assert.equal(response.body.smtpCode, 535);
    assert.match(String(response.body.hint), /^Check user and password/);
    const test = ssmsUrl("https", https.port, TENANT, "test");
    assert.equal(show(await sendRequest("POST", test, { token, body: { mode: "probe" } })).status, 200);
    return "the response names the stage, the server's reply and a fix; the stored settings still work";
  });

  await steps.step("A mail survives an outage of the SMTP server", async (show, print) => {
    const sender = await issuer.token(TENANT, "sender");
    const messages = ssmsUrl("https", https.port, TENANT, "messages");
    const before = mailServer.messages.length;
    await mailServer.change({ password: PASSWORD, isDown: true });
    print("the SMTP server goes down");
    const mail = { to: `${RECIPIENT}@example.com`, subject: "Your code", text: `${CODE}\n`, tag: "demo" };
    const headers = { "Idempotency-Key": "demo-1" };
    const accepted = show(await sendRequest("POST", messages, { token: sender, headers, body: mail }));
    assert.equal(accepted.status, 202);
    assert.equal(accepted.body.state, "queued");
    const state = async () => sendRequest("GET", `${messages}/${accepted.body.id}`, { token: sender });
    const paused = show(await waitFor(state, ({ body }) => body.waitingFor === "server"));
    assert.equal(paused.body.attempts, 0);

    const replay = show(await sendRequest("POST", messages, { token: sender, headers, body: mail }));
    assert.equal(replay.headers["idempotent-replayed"], "true");
    assert.equal(replay.body.id, accepted.body.id);

    await mailServer.change({ password: PASSWORD });
    print("the SMTP server is back: the outbox tries it again 30 s after the failure");
    const sent = show(await waitFor(state, ({ body }) => body.state === "sent"));
    assert.equal(sent.body.attempts, 1);
    const [received, ...others] = mailServer.messages.slice(before);
    assert.deepEqual(others, []);
    assert.deepEqual(received?.rcptTo, [mail.to]);
    assert.ok(received?.raw.includes(`Message-ID: ${sent.body.messageId}`));
    print(`received: Message-ID ${sent.body.messageId}`);
    return "the mail waits in the tenant's outbox, costs no attempt, and arrives once";
  });

  await steps.step("No file and no log contains the password, a token or a mail", async (_, print) => {
    const files = await contentsOf(folder);
    const logs = https.output() + http.output();
    print(`searched ${files.length} files (KV, outboxes, traces, logs) and the output of wrangler`);
    // The search proves something only if it finds what must be there.
    assert.ok(files.some((content) => content.includes(`smtp:${TENANT}`)));
    assert.match(logs, /"tenant":"acme".*"method":"POST".*"status":200/);
    for (const secret of [PASSWORD, RECIPIENT, CODE, token, otherToken]) {
      assert.ok(!files.some((content) => content.includes(secret)), "a file contains a secret");
      assert.ok(!logs.includes(secret), "the log contains a secret");
    }
    return "the log has one line for each request, and neither the log nor the disk contains a secret";
  });

  await steps.step("The settings are deleted", async (show) => {
    assert.equal(show(await sendRequest("DELETE", url, { token })).status, 200);
    assert.equal(show(await sendRequest("GET", url, { token })).status, 404);
    return "reading them returns 404";
  });

  return steps.summary() ? 0 : 1;
});

/** Repeats a request until its response satisfies a condition. */
async function waitFor(
  request: () => Promise<ReceivedResponse>,
  condition: (response: ReceivedResponse) => boolean,
): Promise<ReceivedResponse> {
  for (let second = 0; second < 60; second++) {
    const response = await request();
    if (condition(response)) return response;
    await setTimeout(1_000);
  }
  throw new Error("the mail did not reach the expected state within a minute");
}

function assertUnauthorized({ status, headers, body }: ReceivedResponse, challenge: string): void {
  assert.equal(status, 401);
  assert.equal(headers["www-authenticate"], challenge);
  assert.deepEqual(body, { message: "HTTP 401 Unauthorized.", status: "Unauthorized", subSystem: 8 });
}

/** The tenant's value in KV, read with wrangler instead of the Worker. */
async function storedValue(folder: string, defer: Defer): Promise<string> {
  // Reads a copy: the running wrangler dev may have locked the databases.
  const copy = join(folder, "copy");
  await cp(stateFolder(folder), stateFolder(copy), { recursive: true });
  const location = ["--binding", "SMTP_SETTINGS", "--local", "--persist-to", stateFolder(copy)];
  return wrangler(["kv", "key", "get", `smtp:${TENANT}`, "--text", ...location], copy, defer);
}

async function contentsOf(folder: string): Promise<Buffer[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(files.map((file) => readFile(join(file.parentPath, file.name))));
}
