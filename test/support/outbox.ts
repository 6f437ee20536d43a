import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, vi } from "vitest";
import { type Config, loadConfig } from "../../src/config.ts";
import type { AcceptResult } from "../../src/delivery/acceptance.ts";
import type { MailState } from "../../src/delivery/mail-row.ts";
import type { MailInput } from "../../src/delivery/mailer.ts";
import type { Outbox } from "../../src/delivery/outbox.ts";
import { mailSchema } from "../../src/delivery/schema.ts";
import type { MailStatus } from "../../src/delivery/status.ts";
import { submit } from "../../src/delivery/submit.ts";
import { settingsSchema } from "../../src/settings/schema.ts";
import { SettingsStore } from "../../src/settings/store.ts";
import { open, type SealingKeys, seal } from "../../src/storage/sealing.ts";
import { newTenant } from "./issuer.ts";
import { localSettings } from "./local-settings.ts";

/** A mail for tests that do not depend on its content. */
export const aMail = { to: "ada@example.com", subject: "Your code", text: "123456\n" };

/** The outbox of a tenant of its own, under test. */
export interface TestOutbox {
  tenant: string;
  /** A new one for each use: a stub of an object that stopped does not work any more. */
  readonly stub: DurableObjectStub<Outbox>;
  /** Stores settings in KV, without telling the outbox. `undefined` deletes them. */
  store(settings: object | undefined): Promise<void>;
  /** Stores a value in KV in place of sealed settings. */
  storeRaw(value: string): Promise<void>;
  /** The record of the settings of the server, as the Worker hands it over. */
  sealedSettings(): Promise<string>;
  /** Hands settings over, without storing them. */
  handOver(settings: object | undefined, at?: number): Promise<void>;
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
  /** Runs the alarm without advancing the clock. */
  runAlarmNow(): Promise<void>;
  /** Ends the instance; the next call starts another. */
  evict(): Promise<void>;
  /** Seals claims in place of a mail's content. */
  replaceContent(id: string, claims: object): Promise<void>;
  /** Opens a mail's content with the settings key. */
  opened(content: string): Promise<object>;
  /** Changes the row of a mail. */
  change(assignment: string, id: string): Promise<void>;
  /** Copies the only row until there are this many more. */
  multiply(count: number): Promise<void>;
  /** Replaces bindings of the object, until it restarts. */
  replaceBindings(changes: Partial<Env>): Promise<void>;
  /** The keys of the object's storage beside its tables. */
  entries(): Promise<string[]>;
  /** The value of one of them. */
  entry(key: string): Promise<unknown>;
  /** The tables in the object's storage. */
  tables(): Promise<string[]>;
  /** The configuration of the Worker under test. */
  config(): Promise<Config>;
  /** Stores the settings of a server on this machine, sealed with other keys. */
  storeWith(keys: SealingKeys): Promise<void>;
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
  const stub = () => env.OUTBOX.getByName(tenant);
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
  const execute = (sql: string, ...values: SqlStorageValue[]) =>
    runInDurableObject(stub(), (_, { storage }) => void storage.sql.exec(sql, ...values).toArray());
  const query: TestOutbox["query"] = (sql) =>
    runInDurableObject(stub(), (_, { storage }) => storage.sql.exec<never>(sql).toArray());
  const alarmAt = () => runInDurableObject(stub(), (_, { storage }) => storage.getAlarm());
  const handOver = async (settings: object | undefined, at = Date.now()) => {
    const jwe = settings && (await seal(tenant, recordOf(settings), config.settingsKeys)).jwe;
    await stub().settingsChanged(jwe, at);
  };
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
    get stub() {
      return stub();
    },
    store,
    sealedSettings: async () => {
      const record = recordOf(localSettings(server?.port ?? 0, changes));
      return (await seal(tenant, record, config.settingsKeys)).jwe;
    },
    storeRaw: (value) => env.SMTP_SETTINGS.put(`smtp:${tenant}`, value),
    handOver,
    save: async (settings) => {
      await store(settings);
      await handOver(settings);
    },
    submit: async (changes, key) => {
      const mail = mailSchema.parse({ ...aMail, ...changes });
      return (await submit(env, config, tenant, mail, key)).messages[0]?.id ?? "";
    },
    submitAll,
    status: async (id) => stub().get(id),
    states: async () => (await stub().list(everything)).map(({ state }) => state).reverse(),
    alarmAt,
    runAlarm: async () => {
      vi.setSystemTime(Math.max((await alarmAt()) ?? 0, Date.now()));
      expect(await runDurableObjectAlarm(stub())).toBe(true);
    },
    runAlarmNow: async () => expect(await runDurableObjectAlarm(stub())).toBe(true),
    evict: () => evictDurableObject(stub()),
    replaceContent: async (id, claims) => {
      const { jwe } = await seal(tenant, claims, config.settingsKeys);
      await execute("UPDATE mail SET content = ? WHERE id = ?", jwe, id);
    },
    opened: async (content) => (await open<object>(tenant, content, config.settingsKeys)).claims,
    change: (assignment, id) => execute(`UPDATE mail SET ${assignment} WHERE id = ?`, id),
    multiply: (count) =>
      execute(
        `WITH RECURSIVE copies(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < ?1)
          INSERT INTO mail (id, state, tag, created_at, updated_at, expires_at, lifetime_ms, due_at, attempts,
            unknown_outcomes, message_id, failure, size, content)
          SELECT substr(id, 1, 24) || printf('%012x', n), state, tag, created_at, updated_at, expires_at, lifetime_ms,
            due_at, attempts, unknown_outcomes, message_id, failure, size, content
          FROM mail, copies`,
        count,
      ),
    replaceBindings: (changes) =>
      runInDurableObject(stub(), (instance) => {
        Object.defineProperty(instance, "env", { value: { ...env, ...changes } });
      }),
    entry: (key) => runInDurableObject(stub(), (_, { storage }) => storage.kv.get(key)),
    entries: () => runInDurableObject(stub(), async (_, { storage }) => [...(await storage.list()).keys()]),
    tables: async () => {
      const tables = await query<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'");
      return tables.map(({ name }) => name).filter((name) => !name.startsWith("_cf_"));
    },
    config: async () => config,
    storeWith: async (keys) => {
      const settings = localSettings(server?.port ?? 0);
      await new SettingsStore(env.SMTP_SETTINGS, keys).write(tenant, recordOf(settings));
    },
    query,
  };
}

/** What the object of a tenant has been handed. */
export function outboxOf(tenant: string) {
  return {
    handed: () =>
      runInDurableObject(env.OUTBOX.getByName(tenant), (_, { storage }) => storage.kv.get("settings")),
  };
}

const everything = { state: undefined, tag: undefined, before: undefined, limit: 1_000 };
