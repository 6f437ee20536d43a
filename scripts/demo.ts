import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeProtectedHeader, importJWK, jwtDecrypt } from "jose";
import { newAuthority, trust } from "../test/support/smtp/certificates.ts";
import { startMailServer } from "../test/support/smtp/mail-server.ts";
import { shiftAddress, ssmsAddress } from "./lib/addresses.ts";
import { type Answer, call } from "./lib/call.ts";
import { secretsFileIn } from "./lib/local-files.ts";
import { localIssuerIn } from "./lib/local-issuer.ts";
import { type Defer, run } from "./lib/run.ts";
import { SAMPLE_SETTINGS } from "./lib/sample-settings.ts";
import { Steps } from "./lib/steps.ts";
import { startWranglerDev, stateFolder, wrangler } from "./lib/wrangler.ts";

const TENANT = "acme";
const OTHER_TENANT = "globex";

// Unlike anything else that could lie in a file, so that a search for it means something.
const PASSWORD = `demo-${crypto.randomUUID()}`;

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
  console.log("Starting wrangler dev twice: over https, and over http, which an https port cannot speak ...");
  const [https, http] = await Promise.all([
    startWranglerDev({ ...options, protocol: "https", folder: httpsFolder }, defer),
    startWranglerDev({ ...options, protocol: "http", folder: httpFolder }, defer),
  ]);

  const [token, otherToken] = [await issuer.token(TENANT), await issuer.token(OTHER_TENANT)];
  const address = ssmsAddress("https", https.port, TENANT);
  const settings = { ...SAMPLE_SETTINGS, password: PASSWORD };
  const localSettings = {
    ...settings,
    host: "localhost",
    port: mailServer.port,
    user: "postmaster",
  };
  const steps = new Steps();

  await steps.step("Plain http is refused", async (show) => {
    const plainAddress = ssmsAddress("http", http.port, TENANT);
    const answer = show(await call("POST", plainAddress, { token, body: settings }));
    assert.equal(answer.status, 403);
    assert.equal(answer.body.status, "FORBIDDEN");
    assert.equal(answer.headers.location, undefined);
    return "a good token does not help, and no redirect hides that it has been sent in clear";
  });

  await steps.step("A call without a token is refused", async (show) => {
    const answer = show(await call("POST", address, { body: settings }));
    assertUnauthorized(answer, "Bearer");
    return "nobody saves without a token";
  });

  await steps.step("A token of another tenant is refused", async (show) => {
    for (const target of [address, shiftAddress("https", https.port, TENANT)]) {
      const answer = show(await call("POST", target, { token: otherToken, body: settings }));
      assertUnauthorized(answer, 'Bearer error="invalid_token"');
    }
    const own = ssmsAddress("https", https.port, OTHER_TENANT);
    assert.equal(show(await call("GET", own, { token: otherToken })).status, 404);
    assert.equal(show(await call("GET", address, { token })).status, 404);
    return `the same token is good for ${OTHER_TENANT}, and the refused calls have stored nothing`;
  });

  await steps.step("The sample settings are saved", async (show) => {
    const answer = show(await call("POST", address, { token, body: settings }));
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, {
      message: "Successfully updated SMTP Details",
      status: "OK",
      subSystem: 8,
    });
    return "an administrator of the tenant saves, and is answered to the letter";
  });

  await steps.step("They are read back, in both address families, with the password masked", async (show) => {
    for (const target of [address, shiftAddress("https", https.port, TENANT)]) {
      const answer = show(await call("GET", target, { token }));
      assert.equal(answer.status, 200);
      const { envelopeFrom: _, ...others } = settings;
      const expected = { ...others, starttls: true, ssl: false, password: "**********" };
      assert.deepEqual(answer.body.settings, expected);
    }
    return "what was saved is what is read, and the secret stays inside";
  });

  await steps.step("The value in KV is ciphertext", async (_, print) => {
    const jwe = await storedValue(httpsFolder, defer);
    print(`KV smtp:${TENANT} = ${jwe.slice(0, 100)}... (${jwe.length} characters)`);
    const header = decodeProtectedHeader(jwe);
    print(`its header: ${JSON.stringify(header)}`);
    assert.deepEqual([header.alg, header.enc], ["A256KW", "A256GCM"]);
    const [jwk] = JSON.parse(/'(.*)'/.exec(await readFile(secretsFile, "utf8"))?.[1] ?? "").keys;
    const { payload } = await jwtDecrypt<{ settings: typeof settings }>(jwe, await importJWK(jwk), {
      subject: TENANT,
    });
    assert.equal(payload.settings.password, PASSWORD);
    return "the key in SETTINGS_KEYS opens it, to the password that was saved; without it there is nothing to read";
  });

  await steps.step(
    "Settings are verified before they are saved, and a test mail arrives",
    async (show, print) => {
      const verified = `${address}?verify=true`;
      assert.equal(show(await call("POST", verified, { token, body: localSettings })).status, 200);
      const answer = show(await call("POST", ssmsAddress("https", https.port, TENANT, "test"), { token }));
      assert.equal(answer.status, 200);
      assert.equal(answer.body.message, "Mail Sent Successfully to the user");
      const [mail] = mailServer.mails;
      assert.ok(mail?.secure);
      assert.deepEqual(mail.rcptTo, ["local-admin@example.com"]);
      print(`the mail that arrived, over TLS and as user ${mail.user}:`);
      for (const line of mail.raw.trimEnd().split("\r\n")) print(`  | ${line}`);
      return "the settings send real mail through a real server, whose certificate was checked";
    },
  );

  await steps.step(
    "A wrong password is told so that a person can mend it, and changes nothing",
    async (show) => {
      const broken = { ...localSettings, password: `${PASSWORD}-not` };
      const answer = show(await call("POST", `${address}?verify=true`, { token, body: broken }));
      assert.equal(answer.status, 502);
      assert.equal(answer.body.stage, "authentication");
      assert.equal(answer.body.smtpCode, 535);
      assert.match(String(answer.body.hint), /^Check user and password/);
      const test = ssmsAddress("https", https.port, TENANT, "test");
      assert.equal(show(await call("POST", test, { token, body: { mode: "probe" } })).status, 200);
      return "the diagnosis names the stage, the server's own words and what to do; what was stored still works";
    },
  );

  await steps.step("The password and the token are nowhere in clear", async (_, print) => {
    const files = await contentsOf(folder);
    const logs = https.output() + http.output();
    print(`searched: ${files.length} files of KV, traces and logs, and what wrangler printed`);
    // The search has to find what must be there, or it would prove nothing.
    assert.ok(files.some((content) => content.includes(`smtp:${TENANT}`)));
    assert.match(logs, /"tenant":"acme".*"method":"POST".*"status":200/);
    for (const secret of [PASSWORD, token, otherToken]) {
      assert.ok(!files.some((content) => content.includes(secret)), "found in a file");
      assert.ok(!logs.includes(secret), "found in the log");
    }
    return "the log has a line for each request, and neither it nor the disk has a secret";
  });

  await steps.step("The settings are deleted", async (show) => {
    assert.equal(show(await call("DELETE", address, { token })).status, 200);
    assert.equal(show(await call("GET", address, { token })).status, 404);
    return "nothing is left to read";
  });

  return steps.summary() ? 0 : 1;
});

function assertUnauthorized({ status, headers, body }: Answer, challenge: string): void {
  assert.equal(status, 401);
  assert.equal(headers["www-authenticate"], challenge);
  assert.deepEqual(body, { message: "HTTP 401 Unauthorized.", status: "Unauthorized", subSystem: 8 });
}

/** What KV holds for the tenant, read by wrangler and not by the Worker. */
async function storedValue(folder: string, defer: Defer): Promise<string> {
  // From a copy, as the running wrangler dev may have the databases locked.
  const copy = join(folder, "copy");
  await cp(stateFolder(folder), stateFolder(copy), { recursive: true });
  const where = ["--binding", "SMTP_SETTINGS", "--local", "--persist-to", stateFolder(copy)];
  return wrangler(["kv", "key", "get", `smtp:${TENANT}`, "--text", ...where], copy, defer);
}

async function contentsOf(folder: string): Promise<Buffer[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(files.map((file) => readFile(join(file.parentPath, file.name))));
}
