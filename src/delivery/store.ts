import { leastIdAt, MailIds } from "./mail-id.ts";
import type { FailureReport } from "./report.ts";

/** States of a mail. The last four are final. */
export const MAIL_STATES = ["queued", "sending", "sent", "failed", "expired", "canceled"] as const;

export type MailState = (typeof MAIL_STATES)[number];

/** Maximum mails that wait in one outbox. */
export const MAX_WAITING_MAILS = 10_000;

/** Maximum size of all sealed mails in one outbox, in bytes, failed ones included: an object stores 10 GB. */
export const MAX_CONTENT_BYTES = 2 * 1024 ** 3;

/** How long records live after their final state, and idempotency keys with them, in milliseconds: 7 days. */
export const RETENTION_MS = 7 * 24 * 60 * 60_000;

/** Time between two purges, in milliseconds: one alarm purges all records of an hour. */
const PURGE_INTERVAL_MS = 60 * 60_000;

/** Maximum saves per period that wake an outbox: as many as TEST_RATE_LIMITER allows tests by default. */
const MAX_WAKES = 10;

const WAKE_PERIOD_MS = 60_000;

/** Records purged per statement, and statements per purge: an alarm has 30 seconds of CPU. */
const PURGE_SIZE = { rows: 1_000, statements: 100 };

/** How long handed-over settings replace those in KV, in milliseconds: KV may show the previous ones for 90 s. */
export const HANDED_SETTINGS_MS = 2 * 60_000;

/** A mail to store. */
export interface NewMail {
  /** Recipient, subject, headers and body, as a JWE. */
  content: string;
  tag: string | undefined;
  lifetimeMs: number;
}

/** A request's idempotency key, with one fingerprint for each settings key that may still verify it. */
export interface IdempotencyKey {
  key: string;
  /** HMAC of the request, by `kid`; the sealing key first. */
  fingerprints: readonly [kid: string, fingerprint: string][];
}

export type AcceptResult =
  | { kind: "accepted"; messages: { id: string; state: MailState }[]; replayed: boolean }
  | { kind: "nothing_stored" }
  | { kind: "key_reused" }
  | { kind: "full" };

/** A mail as its row holds it. */
export interface MailRow {
  id: string;
  state: MailState;
  tag: string | null;
  created_at: number;
  updated_at: number;
  expires_at: number;
  lifetime_ms: number;
  /** Next attempt; null in a final state. */
  due_at: number | null;
  /** Attempts since the mail was queued. */
  attempts: number;
  /** Attempts whose outcome is unknown. */
  doubts: number;
  message_id: string | null;
  /** The last failure, as JSON. */
  failure: string | null;
  /** Size of the content in bytes. */
  size: number;
}

/** A mail that is being sent. */
export type ClaimedMail = MailRow & { content: string };

/** Why and until when the outbox sends nothing. */
export interface Pause {
  waitingFor: "server" | "settings";
  until: number;
  /** Consecutive failures of the server. */
  failures: number;
  failure: FailureReport | undefined;
}

/** Settings that a save or delete has handed over. */
export interface HandedSettings {
  /** The sealed record; `undefined` after a delete. */
  jwe: string | undefined;
  at: number;
}

// Cloudflare bills each row and each index entry that is written, so indexes cover few mails.
const TABLES = `
CREATE TABLE mail (
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
) WITHOUT ROWID;
CREATE INDEX mail_due ON mail (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX mail_kept ON mail (size) WHERE due_at IS NULL AND size > 0;
CREATE UNIQUE INDEX mail_key ON mail (idempotency_key) WHERE idempotency_key IS NOT NULL;
`;

// Parameter 1 of each statement that reads rows: the claimed mails.
const CLAIMED = "(SELECT value FROM json_each(?1))";
const STATE = `iif(id IN ${CLAIMED}, 'sending', state)`;
const COLUMNS = `id, ${STATE} AS state, tag, created_at, updated_at, expires_at, lifetime_ms, due_at, attempts, doubts, message_id, failure, size`;

const PAUSE = "pause";
const HANDED_SETTINGS = "settings";
const WAKES = "wakes";

/** The mails of one tenant, in the SQLite storage of its Durable Object. `docs/storage.md` lists the columns. */
export class MailStore {
  readonly #storage: DurableObjectStorage;
  /** An outbox that never accepted a mail stores nothing. */
  #hasTables: boolean;
  /** Ids of the mails that are being sent: nothing else may change them. */
  readonly #claimed = new Set<string>();
  #usage: { mails: number; bytes: number } | undefined;
  #ids: MailIds | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    const tables = storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'mail'");
    this.#hasTables = tables.toArray().length > 0;
  }

  /**
   * Stores mails in one transaction. A known idempotency key stores nothing, and repeats its result.
   *
   * @param hasSettings whether new mails may be stored
   */
  accept(
    mails: readonly NewMail[],
    idempotency: IdempotencyKey | undefined,
    hasSettings: boolean,
    now: number,
  ): AcceptResult {
    const replay = idempotency === undefined ? undefined : this.#replay(idempotency, now);
    if (replay !== undefined) return replay;
    if (!hasSettings) return { kind: "nothing_stored" };
    const bytes = mails.reduce((sum, { content }) => sum + content.length, 0);
    if (!this.#hasRoomFor(mails.length, bytes, now)) return { kind: "full" };
    this.#createTables();
    const ids = this.#storage.transactionSync(() => this.#insertAll(mails, idempotency, now));
    this.#addUsage(mails.length, bytes);
    return { kind: "accepted", messages: ids.map((id) => ({ id, state: "queued" })), replayed: false };
  }

  /** Reads a mail. One whose lifetime is over expires first. */
  get(id: string, now: number): MailRow | undefined {
    const [mail] = this.#rows(`SELECT ${COLUMNS} FROM mail WHERE id = ?2`, id);
    if (mail?.state !== "queued" || mail.expires_at > now) return mail;
    this.finish(mail, "expired", {}, now);
    return { ...mail, state: "expired", due_at: null, updated_at: now };
  }

  content(id: string): string | undefined {
    if (!this.#hasTables) return undefined;
    const rows = this.#storage.sql.exec<{ content: string | null }>(
      "SELECT content FROM mail WHERE id = ?",
      id,
    );
    return rows.toArray()[0]?.content ?? undefined;
  }

  /** Lists mails, the newest first. */
  list(
    filter: {
      state: MailState | undefined;
      tag: string | undefined;
      before: string | undefined;
      limit: number;
    },
    now: number,
  ): MailRow[] {
    this.expire(now);
    const { state, tag, before, limit } = filter;
    return this.#rows(
      `SELECT ${COLUMNS} FROM mail WHERE (?2 IS NULL OR ${STATE} = ?2) AND (?3 IS NULL OR tag = ?3)
        AND id < coalesce(?4, 'g') ORDER BY id DESC LIMIT ?5`,
      ...[state ?? null, tag ?? null, before ?? null, limit],
    );
  }

  /** Claims the mail to send next, until {@link MailStore.release}. Mails whose lifetime is over expire. */
  claim(now: number): ClaimedMail | undefined {
    if (!this.#hasTables) return undefined;
    for (;;) {
      const [mail] = this.#storage.sql
        .exec<Record<string, SqlStorageValue> & ClaimedMail>(
          `SELECT ${COLUMNS}, coalesce(content, '') AS content FROM mail
            WHERE due_at <= ?2 AND id NOT IN ${CLAIMED} ORDER BY due_at, id LIMIT 1`,
          ...[this.#claimedIds, now],
        )
        .toArray();
      if (mail === undefined) return undefined;
      if (mail.expires_at > now) {
        this.#claimed.add(mail.id);
        return mail;
      }
      this.finish(mail, "expired", {}, now);
    }
  }

  release(id: string): void {
    this.#claimed.delete(id);
  }

  releaseAll(): void {
    this.#claimed.clear();
  }

  /** Time of the next attempt, if mails wait that are not claimed. */
  nextDueAt(): number | undefined {
    const [mail] = this.#rows(
      `SELECT ${COLUMNS} FROM mail WHERE due_at IS NOT NULL AND id NOT IN ${CLAIMED} ORDER BY due_at LIMIT 1`,
    );
    return mail?.due_at ?? undefined;
  }

  /** Mails that were being sent when the object stopped. */
  interrupted(): MailRow[] {
    return this.#rows(
      `SELECT ${COLUMNS} FROM mail WHERE due_at IS NOT NULL AND state = 'sending' AND id NOT IN ${CLAIMED}`,
    );
  }

  /** Records that the content of a mail is about to leave. Workers write it to disk before the socket. */
  markSending(id: string, messageId: string, now: number): void {
    this.#storage.sql.exec(
      "UPDATE mail SET state = 'sending', attempts = attempts + 1, message_id = ?, updated_at = ? WHERE id = ?",
      ...[messageId, now, id],
    );
  }

  /** Queues a mail again, for another attempt. */
  requeue(
    id: string,
    change: { at: number; attempts: number; doubts: number; failure: FailureReport },
    now: number,
  ): void {
    const { at, attempts, doubts, failure } = change;
    this.#storage.sql.exec(
      "UPDATE mail SET state = 'queued', due_at = ?, attempts = ?, doubts = ?, failure = ?, updated_at = ? WHERE id = ?",
      ...[at, attempts, doubts, JSON.stringify(failure), now, id],
    );
  }

  /** Puts a mail behind the others, without counting the attempt. */
  postpone({ id, attempts, expires_at }: MailRow, at: number): void {
    this.#storage.sql.exec(
      "UPDATE mail SET state = 'queued', due_at = ?, attempts = ? WHERE id = ?",
      ...[Math.min(at, expires_at), attempts, id],
    );
  }

  /** Ends a mail. Its content is dropped, unless it may be retried by hand. */
  finish(
    { id, size }: Pick<MailRow, "id" | "size">,
    state: Exclude<MailState, "queued" | "sending">,
    change: { attempts?: number; failure?: FailureReport },
    now: number,
  ): void {
    const keepsContent = state === "failed" || state === "expired";
    const { attempts, failure } = change;
    this.#storage.sql.exec(
      `UPDATE mail SET state = ?, due_at = NULL, updated_at = ?, attempts = coalesce(?, attempts),
        failure = coalesce(?, failure) ${keepsContent ? "" : ", size = 0, content = NULL"} WHERE id = ?`,
      ...[state, now, attempts ?? null, failure === undefined ? null : JSON.stringify(failure), id],
    );
    this.#addUsage(-1, keepsContent ? 0 : -size);
  }

  /**
   * Queues a failed or expired mail again, with new content and a new lifetime.
   *
   * @returns whether the outbox has room for it
   */
  retry({ id, lifetime_ms, size }: MailRow, content: string, now: number): boolean {
    const bytes = content.length - size;
    if (!this.#hasRoomFor(1, bytes, now)) return false;
    this.#storage.sql.exec(
      `UPDATE mail SET state = 'queued', due_at = ?, expires_at = ?, attempts = 0, doubts = 0, updated_at = ?,
        size = ?, content = ? WHERE id = ?`,
      ...[now, now + lifetime_ms, now, content.length, content, id],
    );
    this.#addUsage(1, bytes);
    return true;
  }

  /** Ends the mails whose lifetime is over. They are due by then: no attempt is set for later. */
  expire(now: number): void {
    const over = this.#rows(
      `SELECT ${COLUMNS} FROM mail WHERE due_at <= ?2 AND expires_at <= ?2 AND state = 'queued' AND id NOT IN ${CLAIMED}`,
      now,
    );
    for (const mail of over) this.finish(mail, "expired", {}, now);
  }

  /** Deletes records whose retention is over. Mails of one idempotency key go together, and the key with them. */
  purge(now: number): void {
    if (!this.#hasTables) return;
    let purged = PURGE_SIZE.rows;
    for (let statement = 0; statement < PURGE_SIZE.statements && purged === PURGE_SIZE.rows; statement++) {
      purged = this.#purgeSome(now - RETENTION_MS);
    }
  }

  /** Time of the next purge, if there are records. */
  nextPurgeAt(now: number): number | undefined {
    const [oldest] = this.#rows(`SELECT ${COLUMNS} FROM mail ORDER BY id LIMIT 1`);
    if (oldest === undefined) return undefined;
    const finalAt = oldest.due_at === null ? oldest.updated_at : oldest.expires_at;
    return Math.max(finalAt + RETENTION_MS, now) + PURGE_INTERVAL_MS;
  }

  /** Deletes the object's storage, its alarm included. */
  async deleteAll(): Promise<void> {
    this.#hasTables = false;
    this.#usage = undefined;
    await this.#storage.deleteAll();
  }

  get pause(): Pause | undefined {
    return this.#storage.kv.get<Pause>(PAUSE);
  }

  set pause(pause: Pause | undefined) {
    if (pause !== undefined) this.#storage.kv.put(PAUSE, pause);
    else if (this.pause !== undefined) this.#storage.kv.delete(PAUSE);
  }

  /** Settings that were handed over recently; older ones are dropped, since KV shows them by now. */
  handedSettings(now: number): HandedSettings | undefined {
    const handed = this.#storage.kv.get<HandedSettings>(HANDED_SETTINGS);
    if (handed === undefined || now < handed.at + HANDED_SETTINGS_MS) return handed;
    this.#storage.kv.delete(HANDED_SETTINGS);
    return undefined;
  }

  handOver(settings: HandedSettings): void {
    this.#storage.kv.put(HANDED_SETTINGS, settings);
  }

  /**
   * Counts a save that wakes the outbox. Each one has the SMTP server check a password, so more than tests may do
   * would guess passwords.
   *
   * @returns when the outbox may be woken: now, or once the oldest of the last ten is a minute old
   */
  countWake(now: number): number {
    const recent = (this.#storage.kv.get<number[]>(WAKES) ?? []).filter((at) => at > now - WAKE_PERIOD_MS);
    const [oldest] = recent;
    if (oldest !== undefined && recent.length >= MAX_WAKES) return oldest + WAKE_PERIOD_MS;
    this.#storage.kv.put(WAKES, [...recent, now]);
    return now;
  }

  #insertAll(mails: readonly NewMail[], idempotency: IdempotencyKey | undefined, now: number): string[] {
    this.#ids ??= new MailIds(this.#rows(`SELECT ${COLUMNS} FROM mail ORDER BY id DESC LIMIT 1`)[0]?.id);
    const ids = this.#ids;
    const entries = mails.map((mail) => ({ ...mail, id: ids.next(now) }));
    // The mails of a request with a key know each other, and the first one holds the key.
    const group =
      idempotency === undefined ? [null, null] : [entries[0]?.id ?? null, entries.at(-1)?.id ?? null];
    entries.forEach(({ id, content, tag, lifetimeMs }, index) => {
      const key = index === 0 ? idempotency : undefined;
      const [fingerprint] = key === undefined ? [] : fingerprintsOf(key);
      this.#storage.sql.exec(
        `INSERT INTO mail (id, state, tag, created_at, updated_at, expires_at, lifetime_ms, due_at, attempts, doubts,
          idempotency_key, fingerprint, first_id, last_id, size, content)
          VALUES (?, 'queued', ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, ?)`,
        ...[id, tag ?? null, now, now, now + lifetimeMs, lifetimeMs, now],
        ...[key?.key ?? null, fingerprint ?? null, ...group, content.length, content],
      );
    });
    return entries.map(({ id }) => id);
  }

  #replay(idempotency: IdempotencyKey, now: number): AcceptResult | undefined {
    if (!this.#hasTables) return undefined;
    const [known] = this.#storage.sql
      .exec<{ fingerprint: string; first_id: string; last_id: string }>(
        "SELECT fingerprint, first_id, last_id FROM mail WHERE idempotency_key = ?",
        idempotency.key,
      )
      .toArray();
    if (known === undefined) return undefined;
    if (!fingerprintsOf(idempotency).includes(known.fingerprint)) return { kind: "key_reused" };
    const mails = this.#rows(
      `SELECT ${COLUMNS} FROM mail WHERE id BETWEEN ?2 AND ?3 ORDER BY id`,
      ...[known.first_id, known.last_id],
    );
    const messages = mails.map(({ id, state }) => ({ id, state: this.get(id, now)?.state ?? state }));
    return { kind: "accepted", messages, replayed: true };
  }

  /** @returns the number of records purged */
  #purgeSome(before: number): number {
    const purged = this.#storage.sql
      .exec<{ size: number }>(
        `DELETE FROM mail WHERE id IN (
          SELECT id FROM mail AS m WHERE id < ?1 AND due_at IS NULL AND updated_at <= ?2 AND NOT EXISTS (
            SELECT 1 FROM mail AS other WHERE other.id BETWEEN m.first_id AND m.last_id
            AND (other.due_at IS NOT NULL OR other.updated_at > ?2)
          ) LIMIT ${PURGE_SIZE.rows}
        ) RETURNING size`,
        // Nothing is final before it is created, and ids are ordered by creation.
        ...[leastIdAt(before + 1), before],
      )
      .toArray();
    this.#addUsage(0, -purged.reduce((sum, { size }) => sum + size, 0));
    return purged.length;
  }

  get #claimedIds(): string {
    return JSON.stringify([...this.#claimed]);
  }

  /** Runs a statement that selects {@link COLUMNS}; its first parameter is set. */
  #rows(statement: string, ...values: (string | number | null)[]): MailRow[] {
    if (!this.#hasTables) return [];
    return this.#storage.sql
      .exec<Record<string, SqlStorageValue> & MailRow>(statement, this.#claimedIds, ...values)
      .toArray();
  }

  #createTables(): void {
    if (this.#hasTables) return;
    this.#storage.sql.exec(TABLES);
    this.#hasTables = true;
  }

  #hasRoomFor(mails: number, bytes: number, now: number): boolean {
    const fits = () => {
      const usage = this.#loadUsage();
      return usage.mails + mails <= MAX_WAITING_MAILS && usage.bytes + bytes <= MAX_CONTENT_BYTES;
    };
    if (fits()) return true;
    this.expire(now);
    return fits();
  }

  /** Waiting mails, and bytes of content. Reads the indexes once, since the table may hold a million records. */
  #loadUsage(): { mails: number; bytes: number } {
    if (!this.#hasTables) return { mails: 0, bytes: 0 };
    this.#usage ??= this.#storage.sql
      .exec<{ mails: number; bytes: number }>(
        `SELECT count(*) AS mails, coalesce(sum(size), 0)
          + (SELECT coalesce(sum(size), 0) FROM mail WHERE due_at IS NULL AND size > 0) AS bytes
          FROM mail WHERE due_at IS NOT NULL`,
      )
      .one();
    return this.#usage;
  }

  #addUsage(mails: number, bytes: number): void {
    if (this.#usage === undefined) return;
    this.#usage.mails += mails;
    this.#usage.bytes += bytes;
  }
}

function fingerprintsOf({ fingerprints }: IdempotencyKey): string[] {
  return fingerprints.map(([kid, fingerprint]) => `${kid} ${fingerprint}`);
}
