import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent } from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { sendRequest } from "../../scripts/lib/http-client.ts";
import type { LocalIssuer } from "../../scripts/lib/local-issuer.ts";
import type { Defer } from "../../scripts/lib/run.ts";
import { SAMPLE_SETTINGS } from "../../scripts/lib/sample-settings.ts";
import { MAX_CONNECTIONS } from "../../src/delivery/delivery-run.ts";
import { BATCH_MAX_MESSAGES } from "../../src/delivery/schema.ts";
import { newAuthority, trust } from "../../test/support/smtp/certificates.ts";
import { startMailServer } from "../../test/support/smtp/mail-server.ts";
import { delayedPort, listen } from "./delayed-port.ts";
import { CONNECTIONS as CLIENTS } from "./load.ts";
import { median, table, withRange } from "./report.ts";
import type { Server } from "./server.ts";

const ROUND_TRIP_MS = 50;

/** Messages of the healthy tenant, one after the other. */
const HEALTHY_MESSAGES = 20;

const FLOOD = 1_000;

const DEADLINE_MS = 120_000;

type MailServers = Awaited<ReturnType<typeof deliveryServers>>;

/** Starts the SMTP servers. Workers that start later trust them. */
export async function deliveryServers(defer: Defer) {
  const authority = await newAuthority();
  trust(authority);
  const server = await startMailServer({}, authority.trusted);
  defer(() => server.close());
  return {
    server,
    ca: authority.ca.cert,
    near: server.port,
    far: await delayedPort(server.port, ROUND_TRIP_MS),
    // Accepts connections and never sends a greeting: the slowest way to be dead.
    dead: await listen(createServer((socket) => socket.on("error", () => {}))),
  };
}

/** Measures accepting and delivering mail, and compares it with nodemailer's pool, as tables. */
export async function measureDelivery(
  { port: workerPort }: Server,
  { server, ca, near, far, dead }: MailServers,
  issuer: LocalIssuer,
  plan: { messages: Record<"near" | "far" | "oneEach", number>; deliveryRounds: number },
): Promise<string> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  let tenants = 0;

  /** @returns a function that submits one message, or a batch */
  async function newTenant(port: number): Promise<(subjects: string | string[]) => Promise<void>> {
    const path = `https://localhost:${workerPort}/auth/realms/delivery-${++tenants}/mail`;
    const token = await issuer.token(`delivery-${tenants}`);
    const sender = await issuer.token(`delivery-${tenants}`, "sender");
    const post = async (url: string, status: number, options: { token: string; body: object }) => {
      const response = await sendRequest("POST", url, { ...options, agent });
      if (response.status !== status) throw new Error(`expected ${status}, got ${JSON.stringify(response)}`);
    };
    const credentials = { user: "postmaster", password: "correct horse" };
    const body = { ...SAMPLE_SETTINGS, ...credentials, host: "localhost", port };
    await post(`${path}/setup`, 200, { token, body });
    const mail = (subject: string) => ({ to: "ada@example.com", subject, text: "123456\n" });
    return (subjects) =>
      post(`${path}/messages`, 202, {
        token: sender,
        body: typeof subjects === "string" ? mail(subjects) : subjects.map(mail),
      });
  }

  /** @returns messages per second, from the first arrival to the last */
  async function rate(messages: number, send: () => Promise<unknown>): Promise<number> {
    server.messages.length = 0;
    const sent = send();
    await Promise.race([until(() => server.messages.length > 0), sent]);
    await until(() => server.messages.length > 0);
    const [first, startedAt] = [server.messages.length, performance.now()];
    await Promise.all([sent, until(() => server.messages.length >= messages)]);
    return (messages - first) / ((performance.now() - startedAt) / 1000);
  }

  async function pool(port: number, messages: number): Promise<void> {
    const options = JSON.stringify({ port, ca, messages, connections: MAX_CONNECTIONS });
    const [status] = await once(fork(join(import.meta.dirname, "mail-pool-process.ts"), [options]), "exit");
    if (status !== 0) throw new Error("the pool failed");
  }

  async function ours(port: number, messages: number): Promise<void> {
    const submit = await newTenant(port);
    await Promise.all(batches(messages).map(submit));
  }

  const rates: Record<string, number[]> = {};
  const of = (name: string) => rates[name] ?? [];
  for (let round = 0; round < plan.deliveryRounds; round++) {
    for (const [name, port, messages] of [
      ["near", near, plan.messages.near],
      ["far", far, plan.messages.far],
    ] as const) {
      const add = (what: string, value: number) => {
        rates[`${name} ${what}`] = [...of(`${name} ${what}`), value];
      };
      add("pool", await rate(messages, () => pool(port, messages)));
      add("reused", await rate(messages, () => ours(port, messages)));
      await server.change({ endAfter: { messages: 1, how: "close" } });
      add("oneEach", await rate(plan.messages.oneEach, () => ours(port, plan.messages.oneEach)));
      await server.change({});
    }
  }

  /** @returns messages accepted per second while none is delivered */
  async function accept(subjects: (string | string[])[]): Promise<{ requests: number; messages: number }> {
    const submit = await newTenant(dead);
    const startedAt = performance.now();
    await Promise.all(subjects.map(submit));
    const seconds = (performance.now() - startedAt) / 1000;
    return { requests: subjects.length / seconds, messages: subjects.flat().length / seconds };
  }
  await accept(subjectsOf(100));
  const [single, batch] = [await accept(subjectsOf(1_000)), await accept(batches(5_000))];

  /** @returns milliseconds from POST to arrival of each message of a tenant, while `isBusy` */
  async function healthy(isBusy: () => boolean): Promise<number[]> {
    const submit = await newTenant(near);
    const times: number[] = [];
    while (times.length < HEALTHY_MESSAGES && isBusy()) {
      const [subject, seen, startedAt] = [
        `healthy ${times.length}`,
        server.messages.length,
        performance.now(),
      ];
      const hasArrived = () =>
        server.messages.slice(seen).some(({ raw }) => raw.includes(`Subject: ${subject}\r`));
      await Promise.all([submit(subject), until(hasArrived)]);
      times.push(performance.now() - startedAt);
    }
    return times;
  }
  const alone = await healthy(() => true);
  for (const submit of [await newTenant(dead), await newTenant(dead), await newTenant(dead)]) {
    await submit(subjectsOf(BATCH_MAX_MESSAGES));
  }
  const besideDead = await healthy(() => true);
  const flood = await newTenant(near);
  server.messages.length = 0;
  const flooded = Promise.all(batches(FLOOD).map(flood));
  await until(() => server.messages.length > 0);
  const besideFlood = await healthy(() => server.messages.length < FLOOD);
  await flooded;
  await until(() => server.messages.length >= FLOOD + besideFlood.length);
  agent.destroy();

  const ratio = (name: string, floor: string) => median(of(name)) / median(of(floor));
  const goal = (title: string, figure: string, met: boolean) => [title, figure, met ? "met" : "missed"];
  const atLeast = (title: string, value: number, least: number) =>
    goal(`${title}: at least ${least}`, value.toFixed(2), value >= least);
  const slowest = (title: string, times: readonly number[]) =>
    goal(`${title}: under 1 s`, `at most ${Math.max(...times).toFixed(0)} ms`, Math.max(...times) < 1_000);
  return [
    table(
      ["messages/s", "0 ms", `${ROUND_TRIP_MS} ms`],
      [
        ["nodemailer's pool", withRange(of("near pool")), withRange(of("far pool"))],
        ["ours, connection reused", withRange(of("near reused")), withRange(of("far reused"))],
        ["ours, one connection a message", withRange(of("near oneEach")), withRange(of("far oneEach"))],
      ],
    ),
    table(
      ["accepting", "req/s", "messages/s"],
      [
        ["single messages", single.requests.toFixed(0), single.messages.toFixed(0)],
        [`batches of ${BATCH_MAX_MESSAGES}`, batch.requests.toFixed(0), batch.messages.toFixed(0)],
      ],
    ),
    table(
      ["a tenant's message, POST to arrival", "messages", "ms"],
      [
        ["alone", String(alone.length), withRange(alone)],
        ["beside three dead servers", String(besideDead.length), withRange(besideDead)],
        [`beside a flood of ${FLOOD}`, String(besideFlood.length), withRange(besideFlood)],
      ],
    ),
    table(
      ["goal", "figure", ""],
      [
        atLeast(`ours ÷ pool at ${ROUND_TRIP_MS} ms`, ratio("far reused", "far pool"), 0.9),
        atLeast("ours ÷ pool at 0 ms", ratio("near reused", "near pool"), 0.5),
        atLeast(
          `reused ÷ one connection a message at ${ROUND_TRIP_MS} ms`,
          ratio("far reused", "far oneEach"),
          3,
        ),
        slowest("beside three dead servers", besideDead),
        slowest(`beside a flood of ${FLOOD}`, besideFlood),
      ],
    ),
  ].join("\n\n");
}

function subjectsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `mail ${index}`);
}

function batches(messages: number): string[][] {
  const subjects = subjectsOf(messages);
  return Array.from({ length: Math.ceil(messages / BATCH_MAX_MESSAGES) }, (_, index) =>
    subjects.slice(index * BATCH_MAX_MESSAGES, (index + 1) * BATCH_MAX_MESSAGES),
  );
}

/** @throws {Error} if it takes too long */
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`messages did not arrive within ${DEADLINE_MS / 1000} s`);
    await wait(1);
  }
}
