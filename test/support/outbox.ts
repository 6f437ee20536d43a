import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, vi } from "vitest";
import { type Config, loadConfig } from "../../src/config.ts";
import type { MailState } from "../../src/delivery/mail-row.ts";
import type { MailInput } from "../../src/delivery/mailer.ts";
import type { ChangeResult, Outbox } from "../../src/delivery/outbox.ts";
import { mailSchema } from "../../src/delivery/schema.ts";
import type { MailStatus } from "../../src/delivery/status.ts";
import { submit } from "../../src/delivery/submit.ts";
import { settingsSchema } from "../../src/settings/schema.ts";
import { SettingsStore } from "../../src/settings/store.ts";
import { seal } from "../../src/storage/sealing.ts";
import { newTenant } from "./issuer.ts";
import { localSettings } from "./local-settings.ts";
import { OutboxDatabase } from "./outbox-database.ts";

/** A message for tests that do not depend on its content. */
export const aMail = { to: "ada@example.com", subject: "Your code", text: "123456\n" };

const EVERYTHING = {
  application: undefined,
  state: undefined,
  tag: undefined,
  before: undefined,
  limit: 1_000,
};

/** Drives the outbox of a tenant of its own: saves settings, sends, and runs alarms. */
export class TestOutbox {
  readonly tenant = newTenant();
  readonly database = new OutboxDatabase(this.tenant);
  /** The application that submits. */
  application = "test";
  /** What the Worker submits with. */
  bindings = env;
  /** The configuration of the Worker under test. */
  readonly config: Config;

  constructor(config: Config) {
    this.config = config;
  }

  /** A new one for each use: a stub of an object that stopped does not work any more. */
  get stub(): DurableObjectStub<Outbox> {
    return env.OUTBOX.getByName(this.tenant);
  }

  /** Seals claims for the tenant. */
  async seal(claims: object): Promise<string> {
    return (await seal("messages", this.tenant, claims, this.config.settingsKeys)).jwe;
  }

  /** Stores settings in KV, without notifying the outbox. `undefined` deletes them. */
  async store(settings: object | undefined, keys = this.config.settingsKeys): Promise<void> {
    const kv = new SettingsStore(env.SMTP_SETTINGS, keys);
    if (settings === undefined) await kv.delete(this.tenant);
    else await kv.write(this.tenant, recordOf(settings));
  }

  /** Stores a value in KV in place of sealed settings. */
  storeRaw(value: string): Promise<void> {
    return env.SMTP_SETTINGS.put(`smtp:${this.tenant}`, value);
  }

  /** Notifies the outbox of settings, without storing them. */
  async notify(settings: object | undefined, at = Date.now()): Promise<void> {
    const jwe = settings && (await this.seal(recordOf(settings)));
    await this.stub.settingsChanged(jwe, at);
  }

  /** Saves settings as the Worker does: in KV, then notifies the outbox. */
  async save(settings: object | undefined): Promise<void> {
    await this.store(settings);
    await this.notify(settings);
  }

  /** Submits a message, and returns its id. */
  async submit(changes?: Partial<MailInput>, idempotencyKey?: string): Promise<string> {
    const mail = mailSchema.parse({ ...aMail, ...changes });
    const by = { application: this.application, idempotencyKey };
    const { messages } = await submit(this.bindings, this.config, this.tenant, mail, by);
    return messages[0]?.id ?? "";
  }

  /** Submits messages as one batch. */
  submitAll(changes: Partial<MailInput>[], idempotencyKey?: string): ReturnType<typeof submit> {
    const messages = changes.map((change) => mailSchema.parse({ ...aMail, ...change }));
    const by = { application: this.application, idempotencyKey };
    return submit(this.bindings, this.config, this.tenant, messages, by);
  }

  async status(id: string): Promise<MailStatus | undefined> {
    return this.stub.get(id, undefined);
  }

  async delete(id: string): Promise<ChangeResult> {
    return this.stub.delete(id, undefined);
  }

  async retry(id: string): Promise<ChangeResult> {
    return this.stub.retry(id, undefined);
  }

  /** The states of all messages, the oldest first. */
  async states(): Promise<MailState[]> {
    return (await this.stub.list(EVERYTHING)).map(({ state }) => state).reverse();
  }

  /** The time of the next alarm. */
  alarmAt(): Promise<number | null> {
    return runInDurableObject(this.stub, (_, { storage }) => storage.getAlarm());
  }

  /** Advances the clock to the next alarm, and runs it. */
  async runAlarm(): Promise<void> {
    vi.setSystemTime(Math.max((await this.alarmAt()) ?? 0, Date.now()));
    await this.runAlarmNow();
  }

  /** Runs the alarm without advancing the clock. */
  async runAlarmNow(): Promise<void> {
    expect(await runDurableObjectAlarm(this.stub)).toBe(true);
  }

  /** Ends the instance; the next call starts another. */
  evict(): Promise<void> {
    return evictDurableObject(this.stub);
  }

  /** Replaces bindings of the object, until it restarts. */
  replaceBindings(changes: Partial<Env>): Promise<void> {
    return runInDurableObject(this.stub, (instance) => {
      Object.defineProperty(instance, "env", { value: { ...env, ...changes } });
    });
  }
}

/**
 * Creates a tenant whose settings name a server on this machine, if one is given. Its outbox may dial this machine: all
 * objects of the isolate may.
 */
export async function newOutbox(
  server?: { port: number },
  changes: Record<string, unknown> = {},
): Promise<TestOutbox> {
  env.ALLOW_PRIVATE_HOSTS = "true";
  const outbox = new TestOutbox(await loadConfig(env));
  if (server !== undefined) await outbox.store(localSettings(server.port, changes));
  return outbox;
}

/** The record of settings, as a save stores it. */
export function recordOf(settings: object) {
  return {
    settings: settingsSchema.parse(settings),
    updatedAt: new Date().toISOString(),
    updatedBy: "ada",
    version: crypto.randomUUID(),
  };
}
