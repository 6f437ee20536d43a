import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { MAX_CONNECTIONS } from "../src/delivery/delivery-run.ts";
import { newAuthority, trust } from "../test/support/smtp/certificates.ts";
import { startMailServer } from "../test/support/smtp/mail-server.ts";
import { sendRequest, ssmsUrl } from "./lib/http-client.ts";
import { secretsFileIn } from "./lib/local-files.ts";
import { localIssuerIn } from "./lib/local-issuer.ts";
import { run } from "./lib/run.ts";
import { SAMPLE_SETTINGS } from "./lib/sample-settings.ts";
import { startWranglerDev } from "./lib/wrangler.ts";

/** Each crash has a tenant of its own, and happens in the middle of its messages. */
const CRASHES = 5;

const MESSAGES = 200;

/** Requests at a time. Accepting is then about as fast as sending, so that some crashes interrupt both. */
const CLIENTS = 4;

/** So that a crash finds messages whose reply has not arrived. */
const REPLY_DELAY_MS = 20;

/** A message whose outcome is unknown is sent again after a minute. */
const DEADLINE_MS = 120_000;

await run(async (defer) => {
  const folder = await mkdtemp(join(tmpdir(), "tenant-mail-crash-test-"));
  defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  const issuer = await localIssuerIn(folder);
  const authority = await newAuthority();
  trust(authority);
  const server = await startMailServer({}, authority.trusted);
  defer(async () => server.close());
  await server.change({ replyDelayMs: REPLY_DELAY_MS });

  /** How often each mail of a tenant has arrived, by its number. */
  const arrivals = (tenant: string): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const { raw } of server.messages) {
      const number = new RegExp(`^Subject: ${tenant} (\\d+)\\r$`, "m").exec(raw)?.[1];
      if (number !== undefined) counts.set(number, (counts.get(number) ?? 0) + 1);
    }
    return counts;
  };

  const startWorker = async () =>
    startWranglerDev(
      {
        protocol: "https",
        port: 0,
        folder,
        secretsFile: await secretsFileIn(folder),
        vars: { ...issuer.vars, ALLOW_PRIVATE_HOSTS: "true" },
      },
      defer,
    );

  let worker = await startWorker();
  const tenants = Array.from({ length: CRASHES }, (_, index) => `crash-${index + 1}`);
  for (const tenant of tenants) {
    const settings = { ...SAMPLE_SETTINGS, host: "localhost", port: server.port };
    const credentials = { user: "postmaster", password: "correct horse" };
    const url = ssmsUrl("https", worker.port, tenant);
    const token = await issuer.token(tenant);
    const saved = await sendRequest("POST", url, { token, body: { ...settings, ...credentials } });
    assert.equal(saved.status, 200, JSON.stringify(saved.body));

    const sender = await issuer.token(tenant, "sender");
    const requests = Array.from({ length: MESSAGES }, (_, index) => ({
      headers: { "Idempotency-Key": `mail-${index}` },
      body: { to: "ada@example.com", subject: `${tenant} ${index}`, text: "Sent once.\n" },
    }));
    /** Submits messages, and returns those without a response. */
    const submit = async (messages: typeof requests): Promise<typeof requests> => {
      const [left, unanswered] = [[...messages], [] as typeof requests];
      const client = async () => {
        for (let mail = left.shift(); mail !== undefined; mail = left.shift()) {
          const url = ssmsUrl("https", worker.port, tenant, "messages");
          const response = await sendRequest("POST", url, { token: sender, ...mail }).catch(() => undefined);
          if (response?.status !== 202) unanswered.push(mail);
        }
      };
      await Promise.all(Array.from({ length: CLIENTS }, client));
      return unanswered;
    };

    const target = 20 + Math.floor(Math.random() * (MESSAGES - 60));
    const submitted = submit(requests);
    await until(() => arrivals(tenant).size >= target, `${target} messages of ${tenant}`);
    const before = arrivals(tenant).size;
    await worker.kill();
    const unanswered = await submitted;

    worker = await startWorker();
    // A client that got no response repeats its request with the same key. What was accepted goes on by itself.
    assert.deepEqual(await submit(unanswered), []);
    await until(() => arrivals(tenant).size >= MESSAGES - MAX_CONNECTIONS, `the messages of ${tenant}`);
    console.log(
      `${tenant}: killed when ${MESSAGES - unanswered.length} of ${MESSAGES} messages were accepted and ${before} had arrived, then restarted`,
    );
  }

  console.log("Waiting for the messages whose outcome was unknown: they are sent again after a minute ...");
  const summary = () =>
    tenants.map((tenant) => {
      const counts = [...arrivals(tenant).values()];
      return { tenant, lost: MESSAGES - counts.length, twice: counts.filter((copies) => copies > 1).length };
    });
  await until(() => summary().every(({ lost }) => lost === 0), "all messages").catch(console.error);
  for (const tenant of tenants) {
    const url = `${ssmsUrl("https", worker.port, tenant, "messages")}?state=queued`;
    const waiting = async () => {
      const { body } = await sendRequest("GET", url, { token: await issuer.token(tenant, "sender") });
      return (body.messages as unknown[]).length;
    };
    await until(async () => (await waiting()) === 0, `the outbox of ${tenant}`);
  }

  const results = summary();
  console.table(results);
  const lost = results.reduce((sum, result) => sum + result.lost, 0);
  const twice = results.reduce((sum, result) => sum + result.twice, 0);
  const passed = lost === 0 && results.every((result) => result.twice <= MAX_CONNECTIONS);
  console.log(
    `Crash test: ${CRASHES} crashes, ${CRASHES * MESSAGES} messages, ${lost} lost, ${twice} delivered twice (at most ${MAX_CONNECTIONS} per crash): ${passed ? "passed" : "failed"}.`,
  );
  return passed ? 0 : 1;
});

/** @throws {Error} if it takes too long */
async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${DEADLINE_MS / 1000} s`);
    await setTimeout(50);
  }
}
