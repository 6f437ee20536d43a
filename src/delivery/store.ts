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

/** How long handed-over settings replace those in KV, in milliseconds: KV may show the previous ones for 90 s. */
export const HANDED_SETTINGS_MS = 2 * 60_000;

/** Records purged per statement. */
const PURGE_BATCH = 500;

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
  attempts: number;
  /** Attempts whose outcome is unknown. */
  doubts: number;
  message_id: string | null;
  /** The last failure, as JSON. */
  failure: string | null;
}

/** A mail that is due. */
export type DueMail = MailRow & { content: string };

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

const TABLES = `
CREATE TABLE mail (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  idempotency_key TEXT,
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
  size INTEGER NOT NULL,
  content TEXT
) WITHOUT ROWID;
CREATE INDEX mail_due ON mail (due_at, id) WHERE due_at IS NOT NULL;
CREATE TABLE idempotency (
  key TEXT PRIMARY KEY,
  kid TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  first_id TEXT NOT NULL,
  last_id TEXT NOT NULL
) WITHOUT ROWID;
`;

const COLUMNS =
  "id, state, tag, created_at, updated_at, expires_at, lifetime_ms, due_at, attempts, doubts, message_id, failure";

const PAUSE = "pause";
const HANDED_SETTINGS = "settings";

/** The mails of one tenant, in the SQLite storage of its Durable Object. `docs/storage.md` lists the columns. */
export class MailStore {
  readonly #storage: DurableObjectStorage;
  #hasTables: boolean;
  #usage: { waiting: number; bytes: number } | undefined;
  #lastIdTime = 0;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    const [table] = storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'mail'").toArray();
    // An outbox that never accepted a mail stores nothing.
    this.#hasTables = table !== undefined;
  }

  /** Stores mails in one transaction, unless their idempotency key is known. */
  accept(mails: readonly NewMail[], idempotency: IdempotencyKey | undefined, now: number): AcceptResult {
    return this.#storage.transactionSync(() => {
      this.#createTables();
      const replay = idempotency === undefined ? undefined : this.#replay(idempotency, now);
      if (replay !== undefined) return replay;
      const bytes = mails.reduce((sum, { content }) => sum + content.length, 0);
      const usage = this.#loadUsage();
      if (usage.waiting + mails.length > MAX_WAITING_MAILS || usage.bytes + bytes > MAX_CONTENT_BYTES) {
        return { kind: "full" };
      }
      const ids = mails.map((mail) => this.#insert(mail, idempotency?.key, now));
      usage.waiting += mails.length;
      usage.bytes += bytes;
      const [first, last] = [ids[0] ?? "", ids.at(-1) ?? ""];
      const [fingerprint] = idempotency?.fingerprints ?? [];
      if (idempotency !== undefined && fingerprint !== undefined) {
        const values = [idempotency.key, ...fingerprint, first, last];
        this.#storage.sql.exec("INSERT INTO idempotency VALUES (?, ?, ?, ?, ?)", ...values);
      }
      return { kind: "accepted", messages: ids.map((id) => ({ id, state: "queued" })), replayed: false };
    });
  }

  get(id: string): MailRow | undefined {
    return this.#rows(`SELECT ${COLUMNS} FROM mail WHERE id = ?`, id)[0];
  }

  content(id: string): string | undefined {
    if (!this.#hasTables) return undefined;
    const [row] = this.#storage.sql.exec<{ content: string | null }>(
      "SELECT content FROM mail WHERE id = ?",
      id,
    );
    return row?.content ?? undefined;
  }

  /** Lists mails, the newest first. */
  list(filter: {
    state: MailState | undefined;
    tag: string | undefined;
    before: string | undefined;
    limit: number;
  }): MailRow[] {
    const { state, tag, before, limit } = filter;
    const conditions: [string, string | undefined][] = [
      ["state = ?", state],
      ["tag = ?", tag],
      ["id < ?", before],
    ];
    const used = conditions.filter((condition): condition is [string, string] => condition[1] !== undefined);
    const where = used.length === 0 ? "" : `WHERE ${used.map(([text]) => text).join(" AND ")}`;
    const values = used.map(([, value]) => value);
    return this.#rows(`SELECT ${COLUMNS} FROM mail ${where} ORDER BY id DESC LIMIT ?`, ...values, limit);
  }

  /** The mail to send next, without those in `claimed`. */
  nextDue(now: number, claimed: ReadonlySet<string>): DueMail | undefined {
    if (!this.#hasTables) return undefined;
    const due = this.#storage.sql.exec<{ id: string }>(
      "SELECT id FROM mail WHERE due_at <= ? ORDER BY due_at, id LIMIT ?",
      ...[now, claimed.size + 1],
    );
    for (const { id } of due.toArray()) {
      if (claimed.has(id)) continue;
      const mail = this.get(id);
      const content = this.content(id);
      if (mail !== undefined && content !== undefined) return { ...mail, content };
    }
    return undefined;
  }

  /** Time of the next attempt, if mails wait. */
  nextDueAt(): number | undefined {
    if (!this.#hasTables) return undefined;
    const [row] = this.#storage.sql
      .exec<{ due_at: number }>("SELECT due_at FROM mail WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1")
      .toArray();
    return row?.due_at;
  }

  /** Mails that were being sent when the object stopped. */
  interrupted(): MailRow[] {
    return this.#rows(`SELECT ${COLUMNS} FROM mail WHERE due_at IS NOT NULL AND state = 'sending'`);
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
    change: { at: number; attempts: number; doubts: number; failure: FailureReport | null },
    now: number,
  ): void {
    const { at, attempts, doubts, failure } = change;
    this.#storage.sql.exec(
      "UPDATE mail SET state = 'queued', due_at = ?, attempts = ?, doubts = ?, failure = ?, updated_at = ? WHERE id = ?",
      ...[at, attempts, doubts, failure === null ? null : JSON.stringify(failure), now, id],
    );
  }

  /** Puts a mail behind the others, without counting the attempt. */
  postpone({ id, attempts }: MailRow, at: number): void {
    this.#storage.sql.exec(
      "UPDATE mail SET state = 'queued', due_at = ?, attempts = ? WHERE id = ?",
      ...[at, attempts, id],
    );
  }

  /** Ends a mail. Its content is dropped, unless it may be retried by hand. */
  finish(
    id: string,
    state: Exclude<MailState, "queued" | "sending">,
    change: { attempts?: number; failure?: FailureReport },
    now: number,
  ): void {
    const keepsContent = state === "failed" || state === "expired";
    const { attempts, failure } = change;
    const size = keepsContent ? 0 : (this.content(id)?.length ?? 0);
    this.#storage.sql.exec(
      `UPDATE mail SET state = ?, due_at = NULL, updated_at = ?, attempts = coalesce(?, attempts),
        failure = coalesce(?, failure), size = size - ?${keepsContent ? "" : ", content = NULL"} WHERE id = ?`,
      ...[
        state,
        now,
        attempts ?? null,
        failure === undefined ? null : JSON.stringify(failure),
        ...[size, id],
      ],
    );
    this.#addUsage(-1, -size);
  }

  /** Queues a failed or expired mail again, with new content and a new lifetime. */
  retry({ id, lifetime_ms }: MailRow, content: string, now: number): void {
    const size = this.content(id)?.length ?? 0;
    this.#storage.sql.exec(
      "UPDATE mail SET state = 'queued', due_at = ?, expires_at = ?, doubts = 0, updated_at = ?, size = ?, content = ? WHERE id = ?",
      ...[now, now + lifetime_ms, now, content.length, content, id],
    );
    this.#addUsage(1, content.length - size);
  }

  /** Ends mails whose lifetime is over, except those in `claimed`. */
  expire(now: number, claimed: ReadonlySet<string>): void {
    const over = this.#rows(
      `SELECT ${COLUMNS} FROM mail WHERE due_at IS NOT NULL AND state = 'queued' AND expires_at <= ?`,
      now,
    );
    for (const { id } of over) if (!claimed.has(id)) this.finish(id, "expired", {}, now);
  }

  /** Deletes records whose retention is over, with their idempotency keys. */
  purge(now: number): void {
    if (!this.#hasTables) return;
    const before = now - RETENTION_MS;
    // Ids are ordered by creation, and nothing is final before it is created.
    const final = "due_at IS NULL AND updated_at <= ?2";
    const rows = this.#storage.sql.exec<{ id: string; idempotency_key: string | null; size: number }>(
      `SELECT id, idempotency_key, size FROM mail AS m WHERE id < ?1 AND ${final} AND NOT EXISTS (
        SELECT 1 FROM idempotency AS i JOIN mail AS other ON other.id BETWEEN i.first_id AND i.last_id
        WHERE i.key = m.idempotency_key AND other.idempotency_key = i.key
        AND (other.due_at IS NOT NULL OR other.updated_at > ?2)
      ) LIMIT ${PURGE_BATCH}`,
      ...[idAt(before), before],
    );
    for (const { id, idempotency_key: key, size } of rows.toArray()) {
      this.#storage.sql.exec("DELETE FROM mail WHERE id = ?", id);
      if (key !== null) this.#storage.sql.exec("DELETE FROM idempotency WHERE key = ?", key);
      this.#addUsage(0, -size);
    }
  }

  /** Time at which the oldest record may be purged, if there is one. */
  nextPurgeAt(): number | undefined {
    const [oldest] = this.#rows(`SELECT ${COLUMNS} FROM mail ORDER BY id LIMIT 1`);
    if (oldest === undefined) return undefined;
    return (oldest.due_at === null ? oldest.updated_at : oldest.expires_at) + RETENTION_MS;
  }

  /** Whether nothing is stored that is worth keeping. */
  get isEmpty(): boolean {
    return this.nextPurgeAt() === undefined && this.#storage.kv.get(HANDED_SETTINGS) === undefined;
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
    if (pause === undefined) this.#storage.kv.delete(PAUSE);
    else this.#storage.kv.put(PAUSE, pause);
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

  #insert({ content, tag, lifetimeMs }: NewMail, key: string | undefined, now: number): string {
    const id = this.#newId(now);
    this.#storage.sql.exec(
      `INSERT INTO mail (id, state, idempotency_key, tag, created_at, updated_at, expires_at, lifetime_ms, due_at, attempts, doubts, size, content)
        VALUES (?, 'queued', ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?)`,
      ...[id, key ?? null, tag ?? null, now, now, now + lifetimeMs, lifetimeMs, now, content.length, content],
    );
    return id;
  }

  #replay({ key, fingerprints }: IdempotencyKey, now: number): AcceptResult | undefined {
    const [known] = this.#storage.sql
      .exec<{ kid: string; fingerprint: string; first_id: string; last_id: string }>(
        "SELECT kid, fingerprint, first_id, last_id FROM idempotency WHERE key = ?",
        key,
      )
      .toArray();
    if (known === undefined) return undefined;
    const isSame = fingerprints.some(([kid, mac]) => kid === known.kid && mac === known.fingerprint);
    if (!isSame) return { kind: "key_reused" };
    this.expire(now, new Set());
    const messages = this.#storage.sql.exec<{ id: string; state: MailState }>(
      "SELECT id, state FROM mail WHERE id BETWEEN ? AND ? AND idempotency_key = ? ORDER BY id",
      ...[known.first_id, known.last_id, key],
    );
    return { kind: "accepted", messages: messages.toArray(), replayed: true };
  }

  /** A UUID version 7 (RFC 9562 section 5.7), greater than all before it. */
  #newId(now: number): string {
    if (this.#lastIdTime === 0) {
      const [newest] = this.#rows(`SELECT ${COLUMNS} FROM mail ORDER BY id DESC LIMIT 1`);
      this.#lastIdTime = newest === undefined ? 0 : timeOf(newest.id);
    }
    // Fractions of a millisecond order the mails of one request.
    this.#lastIdTime = Math.max(now * TICKS, this.#lastIdTime + 1);
    return uuidV7(this.#lastIdTime, crypto.randomUUID());
  }

  #rows(statement: string, ...values: (string | number)[]): MailRow[] {
    if (!this.#hasTables) return [];
    return this.#storage.sql.exec<Record<string, SqlStorageValue> & MailRow>(statement, ...values).toArray();
  }

  #createTables(): void {
    if (this.#hasTables) return;
    this.#storage.sql.exec(TABLES);
    this.#hasTables = true;
  }

  #loadUsage(): { waiting: number; bytes: number } {
    this.#usage ??= this.#storage.sql
      .exec<{ waiting: number; bytes: number }>(
        "SELECT count(due_at) AS waiting, coalesce(sum(size), 0) AS bytes FROM mail",
      )
      .one();
    return this.#usage;
  }

  #addUsage(waiting: number, bytes: number): void {
    if (this.#usage === undefined) return;
    this.#usage.waiting += waiting;
    this.#usage.bytes += bytes;
  }
}

/** Ticks per millisecond: the 12 bits that RFC 9562 section 6.2 (method 3) leaves for a finer clock. */
const TICKS = 4096;

function uuidV7(ticks: number, random: string): string {
  const time = Math.floor(ticks / TICKS)
    .toString(16)
    .padStart(12, "0");
  const fraction = (ticks % TICKS).toString(16).padStart(3, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${fraction}${random.slice(18)}`;
}

function timeOf(id: string): number {
  const hex = id.replaceAll("-", "");
  return Number.parseInt(hex.slice(0, 12), 16) * TICKS + Number.parseInt(hex.slice(13, 16), 16);
}

function idAt(time: number): string {
  return uuidV7(time * TICKS, "00000000-0000-0000-0000-000000000000");
}
