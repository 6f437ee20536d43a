import { type Statement, sql } from "./sql.ts";

/** Number of the migrations that an outbox has applied. Version 0.2.0 wrote none, and had applied the first. */
const APPLIED = "migrations";

/**
 * The tables of an outbox, as the statements that led to them. Only ever add to the end: outboxes of all versions
 * exist.
 *
 * Cloudflare bills each row and each index entry that is written, so indexes cover few messages.
 */
const MIGRATIONS: readonly (readonly Statement[])[] = [
  [
    sql`CREATE TABLE mail (
      id TEXT PRIMARY KEY,
      state TEXT NOT NULL,
      tag TEXT,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      lifetime_ms INTEGER NOT NULL,
      due_at INTEGER,
      attempts INTEGER NOT NULL,
      doubts INTEGER NOT NULL,
      message_id TEXT,
      failure TEXT,
      idempotency_key TEXT,
      fingerprint TEXT,
      first_id TEXT,
      last_id TEXT,
      size INTEGER NOT NULL,
      content TEXT
    ) WITHOUT ROWID`,
    sql`CREATE INDEX mail_due ON mail (due_at, id) WHERE due_at IS NOT NULL`,
    sql`CREATE INDEX mail_kept ON mail (size) WHERE due_at IS NULL AND size > 0`,
    sql`CREATE UNIQUE INDEX mail_key ON mail (idempotency_key) WHERE idempotency_key IS NOT NULL`,
  ],
  [
    sql`ALTER TABLE mail RENAME COLUMN doubts TO unknown_outcomes`,
    sql`ALTER TABLE mail ADD COLUMN unknown_since INTEGER`,
    sql`ALTER TABLE mail ADD COLUMN step INTEGER NOT NULL DEFAULT 0`,
    sql`ALTER TABLE mail ADD COLUMN tried_at INTEGER`,
    sql`ALTER TABLE mail ADD COLUMN deferrals INTEGER NOT NULL DEFAULT 0`,
    sql`ALTER TABLE mail ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0`,
    sql`ALTER TABLE mail ADD COLUMN refused_at INTEGER`,
    sql`ALTER TABLE mail ADD COLUMN others_accepted INTEGER NOT NULL DEFAULT 0`,
    // Until now, each attempt was a step of the schedule. One that goes on is counted, and takes its step at its end.
    sql`UPDATE mail SET step = iif(state = 'sending', attempts - 1, attempts), tried_at = iif(attempts > 0, updated_at, NULL),
      unknown_since = iif(unknown_outcomes > 0, updated_at, NULL)
      WHERE due_at IS NOT NULL`,
  ],
  [
    sql`ALTER TABLE mail ADD COLUMN application TEXT`,
    sql`DROP INDEX mail_key`,
    sql`CREATE UNIQUE INDEX mail_key ON mail (idempotency_key, application) WHERE idempotency_key IS NOT NULL`,
  ],
  [
    sql`DROP INDEX mail_kept`,
    sql`CREATE INDEX mail_kept ON mail (updated_at, size) WHERE due_at IS NULL AND size > 0`,
  ],
  [sql`ALTER TABLE mail ADD COLUMN kid TEXT`],
];

/** Keys beside the tables whose form a migration has changed, or that nothing reads any more. */
const OBSOLETE_KEYS = ["pause", "wakes"];

/** Whether an outbox has tables: one that never accepted a message stores nothing. */
export function hasTables({ sql: database }: DurableObjectStorage): boolean {
  return database.exec("SELECT 1 FROM sqlite_master WHERE name = 'mail'").toArray().length > 0;
}

/** Brings the tables up to date, in one transaction. Creates them if there are none. */
export function migrate(storage: DurableObjectStorage): void {
  const exists = hasTables(storage);
  const applied = exists ? (storage.kv.get<number>(APPLIED) ?? 1) : 0;
  if (applied === MIGRATIONS.length) return;
  storage.transactionSync(() => {
    for (const { text } of MIGRATIONS.slice(applied).flat()) storage.sql.exec(text);
    if (exists) for (const key of OBSOLETE_KEYS) storage.kv.delete(key);
    storage.kv.put(APPLIED, MIGRATIONS.length);
  });
}
