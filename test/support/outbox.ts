import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, vi } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { handOverSettings, submit } from "../../src/delivery/client.ts";
import type { MailInput } from "../../src/delivery/mailer.ts";
import type { Outbox } from "../../src/delivery/outbox.ts";
import { mailSchema } from "../../src/delivery/schema.ts";
import type { MailStatus } from "../../src/delivery/status.ts";
import type { AcceptResult, MailState } from "../../src/delivery/store.ts";
import { settingsSchema } from "../../src/settings/schema.ts";
import { SettingsStore } from "../../src/settings/store.ts";
import { seal } from "../../src/storage/sealing.ts";
import { newTenant } from "./issuer.ts";
import { localSettings } from "./local-settings.ts";

/** A mail for tests that do not depend on its content. */
export const aMail = { to: "ada@example.com", subject: "Your code", text: "123456\n" };

/** The outbox of a tenant of its own, under test. */
export interface TestOutbox {
  tenant: string;
  stub: DurableObjectStub<Outbox>;
  /** Stores settings in KV, without telling the outbox. `undefined` deletes them. */
  store(settings: object | undefined): Promise<void>;
  /** Stores a value in KV in place of sealed settings. */
  storeRaw(value: string): Promise<void>;
  /** Saves settings as the Worker does: in KV, and handed over. */
  save(settings: object | undefined): Promise<void>;
  /** Submits a mail, and returns its id. */
  submit(changes?: Partial<MailInput>, idempotencyKey?: string): Promise<string>;
  /** Submits mails as one batch. */
  submitAll(
    changes: Partial<MailInput>[],
    idempotencyKey?: string,
  ): Promise<AcceptResult & { kind: "accepted" }>;
  status(id: string): Promise<MailStatus | undefined>;
  states(): Promise<MailState[]>;
  /** The time of the next alarm. */
  alarmAt(): Promise<number | null>;
  /** Advances the clock to the next alarm, and runs it. */
  runAlarm(): Promise<void>;
  /** Ends the instance; the next call starts another. */
  evict(): Promise<void>;
  /** Seals claims in place of a mail's content. */
  replaceContent(id: string, claims: object): Promise<void>;
  /** Queries the object's storage. */
  query<Row extends Record<string, SqlStorageValue>>(sql: string): Promise<Row[]>;
}

/** Lets the outbox dial this machine: all objects of the isolate share these bindings. */
export function allowPrivateHosts(): void {
  env.ALLOW_PRIVATE_HOSTS = "true";
}

/** Creates a tenant whose settings name a server on this machine, if one is given. */
export async function newOutbox(
  server?: { port: number },
  changes: Record<string, unknown> = {},
): Promise<TestOutbox> {
  allowPrivateHosts();
  const tenant = newTenant();
  const stub = env.OUTBOX.getByName(tenant);
  const config = await loadConfig(env);
  const kv = new SettingsStore(env.SMTP_SETTINGS, config.settingsKeys);
  const recordOf = (settings: object) => ({
    ...{ settings: settingsSchema.parse(settings), updatedAt: new Date().toISOString() },
    ...{ updatedBy: "ada", version: crypto.randomUUID() },
  });
  const store = async (settings: object | undefined) => {
    if (settings === undefined) await kv.delete(tenant);
    else await kv.write(tenant, recordOf(settings));
  };
  const alarmAt = () => runInDurableObject(stub, (_, { storage }) => storage.getAlarm());
  const submitAll: TestOutbox["submitAll"] = (mails, key) =>
    submit(
      env,
      config,
      tenant,
      mails.map((mail) => mailSchema.parse({ ...aMail, ...mail })),
      key,
    );
  if (server !== undefined) await store(localSettings(server.port, changes));
  return {
    tenant,
    stub,
    store,
    storeRaw: (value) => env.SMTP_SETTINGS.put(`smtp:${tenant}`, value),
    save: async (settings) => {
      await store(settings);
      const jwe = settings && (await seal(tenant, recordOf(settings), config.settingsKeys)).jwe;
      await handOverSettings(env, tenant, jwe);
    },
    submit: async (changes, key) => {
      const mail = mailSchema.parse({ ...aMail, ...changes });
      return (await submit(env, config, tenant, mail, key)).messages[0]?.id ?? "";
    },
    submitAll,
    status: async (id) => stub.get(id),
    states: async () => (await stub.list(everything)).map(({ state }) => state).reverse(),
    alarmAt,
    runAlarm: async () => {
      vi.setSystemTime(Math.max((await alarmAt()) ?? 0, Date.now()));
      expect(await runDurableObjectAlarm(stub)).toBe(true);
    },
    evict: () => evictDurableObject(stub),
    replaceContent: async (id, claims) => {
      const { jwe } = await seal(tenant, claims, config.settingsKeys);
      await runInDurableObject(stub, (_, { storage }) => {
        storage.sql.exec("UPDATE mail SET content = ? WHERE id = ?", jwe, id);
      });
    },
    query: (sql) => runInDurableObject(stub, (_, { storage }) => storage.sql.exec<never>(sql).toArray()),
  };
}

const everything = { state: undefined, tag: undefined, before: undefined, limit: 1_000 };
