import { leastIdAt, MailIds } from "./mail-id.ts";
import {
  assignmentOf,
  COLUMNS,
  conditionOf,
  conditionOfNew,
  IS_URGENT,
  KEEPS_SCHEDULE,
  RESTARTED,
} from "./mail-queries.ts";
import type { ClaimedMail, MailRow, MailState } from "./mail-row.ts";
import { hasTables, migrate } from "./migrations.ts";
import { newOf, type Pause, type Selection, type Waiting } from "./pause.ts";
import type { FailureReport } from "./report.ts";
import type { Trials } from "./retry-policy.ts";
import { type Statement, sql } from "./sql.ts";

/** Maximum messages that wait in one outbox. */
export const MAX_WAITING_MAILS = 10_000;

/** Maximum size of all sealed messages in one outbox, in bytes, failed ones included: an object stores 10 GB. */
export const MAX_CONTENT_BYTES = 2 * 1024 ** 3;

/** How long records live after their final state, and idempotency keys with them, in milliseconds: 7 days. */
export const RETENTION_MS = 7 * 24 * 60 * 60_000;

/** Time between two purges, in milliseconds: one alarm purges all records of an hour. */
const PURGE_INTERVAL_MS = 60 * 60_000;

/** Records purged per statement, and statements per purge: an alarm has 30 seconds of CPU. */
const PURGE_SIZE = { rows: 1_000, statements: 100 };

/** A message to store. */
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

/** The messages of one tenant, in the SQLite storage of its Durable Object. */
export class MailStore {
  readonly #storage: DurableObjectStorage;
  readonly #reasonOf: (mail: MailRow) => FailureReport | undefined;
  /** An outbox that never accepted a message stores nothing. */
  #hasTables: boolean;
  /** Ids of the messages that a delivery run has taken. */
  readonly #claimed = new Set<string>();
  /** Those of them whose session is open. Until then, they may expire or be canceled. */
  readonly #started = new Set<string>();
  #usage: { mails: number; bytes: number } | undefined;
  #ids: MailIds | undefined;

  /** @param reasonOf what a message waits for, in case it expires */
  constructor(storage: DurableObjectStorage, reasonOf: (mail: MailRow) => FailureReport | undefined) {
    this.#storage = storage;
    this.#reasonOf = reasonOf;
    this.#hasTables = hasTables(storage);
    if (this.#hasTables) migrate(storage);
  }

  /**
   * Stores messages in one transaction. A known idempotency key stores nothing, and repeats its result.
   *
   * @param hasSettings whether new messages may be stored
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
    if (!this.#hasTables) migrate(this.#storage);
    this.#hasTables = true;
    const ids = this.#storage.transactionSync(() => this.#insertAll(mails, idempotency, now));
    this.#addUsage(mails.length, bytes);
    return { kind: "accepted", messages: ids.map((id) => ({ id, state: "queued" })), replayed: false };
  }

  /** Reads a message. One whose lifetime is over expires first. */
  get(id: string, now: number): MailRow | undefined {
    const [mail] = this.#select(sql`WHERE id = ${id}`);
    if (mail?.state !== "queued" || mail.expires_at > now) return mail;
    this.#expireOne(mail, now);
    return this.#select(sql`WHERE id = ${id}`)[0];
  }

  content(id: string): string | undefined {
    const [row] = this.#read<{ content: string | null }>(sql`SELECT content FROM mail WHERE id = ${id}`);
    return row?.content ?? undefined;
  }

  /** Lists messages, the newest first. */
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
    return this.#select(sql`WHERE (${state} IS NULL OR ${this.#state} = ${state})
      AND (${tag} IS NULL OR tag = ${tag}) AND id < coalesce(${before}, 'g') ORDER BY id DESC LIMIT ${limit}`);
  }

  /** Claims the message to send next, until {@link MailStore.release}. Messages whose lifetime is over expire. */
  claim(selection: Selection, now: number): ClaimedMail | undefined {
    for (;;) {
      const [mail] = this.#read<ClaimedMail>(sql`SELECT ${COLUMNS}, state, coalesce(content, '') AS content
        FROM mail WHERE due_at IS NOT NULL AND ${this.#unclaimed} AND ${conditionOf(selection, now)} LIMIT 1`);
      if (mail === undefined) return undefined;
      if (mail.expires_at > now) {
        this.#claimed.add(mail.id);
        return mail;
      }
      this.#expireOne(mail, now);
    }
  }

  /**
   * Starts to send a claimed message, over a session that is open.
   *
   * @returns whether it still waits
   */
  start(id: string): boolean {
    const isWaiting = this.#read(sql`SELECT 1 FROM mail WHERE id = ${id} AND due_at IS NOT NULL`).length > 0;
    if (isWaiting) this.#started.add(id);
    return isWaiting;
  }

  release(id: string): void {
    this.#claimed.delete(id);
    this.#started.delete(id);
  }

  releaseAll(): void {
    this.#claimed.clear();
    this.#started.clear();
  }

  /** Time of the next attempt, if messages wait that are not claimed. */
  nextDueAt(): number | undefined {
    const [mail] = this.#read<{ due_at: number }>(sql`SELECT due_at FROM mail
      WHERE due_at IS NOT NULL AND ${this.#unclaimed} ORDER BY due_at LIMIT 1`);
    return mail?.due_at;
  }

  /** What waits in a paused outbox, apart from claimed messages. */
  waiting(pause: Pause): Waiting {
    const isNew = (isUrgent: boolean) => conditionOfNew(newOf(pause, { isUrgent }));
    const [row] = this.#read<Record<string, number | null>>(sql`SELECT
      max(NOT ${KEEPS_SCHEDULE}) AS has_any,
      max(NOT ${KEEPS_SCHEDULE} AND ${IS_URGENT}) AS urgent,
      max(${isNew(true)}) AS new_urgent,
      max(${isNew(false)}) AS new_ordinary,
      min(iif(${KEEPS_SCHEDULE}, due_at, NULL)) AS unknown_due_at,
      min(iif(${KEEPS_SCHEDULE}, NULL, coalesce(tried_at, 0))) AS least_tried_at
      FROM mail WHERE due_at IS NOT NULL AND ${this.#unclaimed}`);
    return {
      any: row?.has_any === 1,
      urgent: row?.urgent === 1,
      newUrgent: row?.new_urgent === 1,
      newOrdinary: row?.new_ordinary === 1,
      unknownDueAt: row?.unknown_due_at ?? undefined,
      leastTriedAt: row?.least_tried_at ?? undefined,
    };
  }

  /** Messages that were being sent when the object stopped. */
  interrupted(): MailRow[] {
    return this.#select(sql`WHERE due_at IS NOT NULL AND state = 'sending' AND ${this.#unclaimed}`);
  }

  /** Records that the content of a message is about to leave. Workers write it to disk before the socket. */
  markSending(id: string, messageId: string, now: number): void {
    this.#run(sql`UPDATE mail SET state = 'sending', attempts = attempts + 1, message_id = ${messageId},
      updated_at = ${now} WHERE id = ${id}`);
  }

  /** Takes back the attempt, if it was recorded: it was not about this message. */
  unmarkSending(id: string): void {
    this.#run(
      sql`UPDATE mail SET state = 'queued', attempts = attempts - 1 WHERE id = ${id} AND state = 'sending'`,
    );
  }

  /** Records a try that did not get as far as this message, which goes behind the others if it still waits. */
  markTried(id: string, now: number): void {
    this.#run(
      sql`UPDATE mail SET state = 'queued', tried_at = ${now} WHERE id = ${id} AND due_at IS NOT NULL`,
    );
  }

  /** Queues a message again, for another attempt. */
  requeue(id: string, { at, trials, failure }: Requeued, now: number): void {
    this.#run(sql`UPDATE mail SET state = 'queued', due_at = ${at}, failure = ${JSON.stringify(failure)},
      tried_at = ${now}, updated_at = ${now}, ${assignmentOf(trials)} WHERE id = ${id}`);
  }

  /** Ends a message. Its content is dropped, unless it may be retried by hand. */
  finish(
    { id, size }: Pick<MailRow, "id" | "size">,
    state: Exclude<MailState, "queued" | "sending">,
    { attempts, failure }: { attempts?: number; failure?: FailureReport | undefined },
    now: number,
  ): void {
    const keepsContent = state === "failed" || state === "expired";
    const dropped = keepsContent ? sql`` : sql`, size = 0, content = NULL`;
    const report = failure === undefined ? null : JSON.stringify(failure);
    this.#run(sql`UPDATE mail SET state = ${state}, due_at = NULL, updated_at = ${now},
      attempts = coalesce(${attempts}, attempts), failure = coalesce(${report}, failure) ${dropped}
      WHERE id = ${id}`);
    this.#addUsage(-1, keepsContent ? 0 : -size);
  }

  /**
   * Queues a failed or expired message again, with new content and a new lifetime.
   *
   * @returns whether the outbox has room for it
   */
  retry({ id, lifetime_ms, size }: MailRow, content: string, now: number): boolean {
    const bytes = content.length - size;
    if (!this.#hasRoomFor(1, bytes, now)) return false;
    this.#run(sql`UPDATE mail SET state = 'queued', due_at = ${now}, expires_at = ${now + lifetime_ms},
      updated_at = ${now}, size = ${content.length}, content = ${content}, tried_at = NULL, attempts = 0,
      ${RESTARTED} WHERE id = ${id}`);
    this.#addUsage(1, bytes);
    return true;
  }

  /** Records that the connection that refused these messages has accepted another one. */
  markOthersAccepted(ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.#run(sql`UPDATE mail SET others_accepted = 1
      WHERE due_at IS NOT NULL AND id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`);
  }

  /**
   * Makes all messages due that waited during a pause. The next attempt takes no step of their schedules.
   *
   * @param showsAcceptance whether the server has accepted a message, so that those that may have arrived are due, too
   */
  endWait(now: number, { showsAcceptance }: { showsAcceptance: boolean }): void {
    this.#run(sql`UPDATE mail SET due_at = ${now}, step = max(step - 1, 0)
      WHERE due_at > ${now} AND (unknown_outcomes = 0 OR ${showsAcceptance ? 1 : 0}) AND ${this.#unclaimed}`);
  }

  /**
   * Starts the schedules of waiting messages again, also of those that are being sent.
   *
   * @param includesUnknown whether also of those that may have arrived: each start may cause copies
   */
  restart(now: number, { includesUnknown }: { includesUnknown: boolean }): void {
    if (!this.#hasTables) return;
    this.#run(sql`UPDATE mail SET due_at = min(due_at, ${now}), ${RESTARTED}
      WHERE due_at IS NOT NULL AND (due_at > ${now} OR step > 0 OR refusals > 0)
      AND (unknown_outcomes = 0 OR ${includesUnknown ? 1 : 0})`);
  }

  /** Ends the messages whose lifetime is over. They are due by then: no attempt is set for later. */
  expire(now: number): void {
    const over = this.#select(sql`WHERE due_at <= ${now} AND expires_at <= ${now} AND state = 'queued'
      AND ${this.#unclaimed}`);
    for (const mail of over) this.#expireOne(mail, now);
  }

  /** Deletes records whose retention is over. Messages of one idempotency key go together, and the key with them. */
  purge(now: number): void {
    if (!this.#hasTables) return;
    let purged = PURGE_SIZE.rows;
    for (let statement = 0; statement < PURGE_SIZE.statements && purged === PURGE_SIZE.rows; statement++) {
      purged = this.#purgeSome(now - RETENTION_MS);
    }
  }

  /** Time of the next purge, if there are records. */
  nextPurgeAt(now: number): number | undefined {
    const [oldest] = this.#select(sql`ORDER BY id LIMIT 1`);
    if (oldest === undefined) return undefined;
    const finalAt = oldest.due_at === null ? oldest.updated_at : oldest.expires_at;
    return Math.max(finalAt + RETENTION_MS, now) + PURGE_INTERVAL_MS;
  }

  #insertAll(mails: readonly NewMail[], idempotency: IdempotencyKey | undefined, now: number): string[] {
    this.#ids ??= new MailIds(this.#select(sql`ORDER BY id DESC LIMIT 1`)[0]?.id);
    const ids = mails.map(() => this.#ids?.next(now) ?? "");
    // The messages of a request with a key know each other, and the first one holds the key.
    const [first, last] = idempotency === undefined ? [] : [ids[0], ids.at(-1)];
    mails.forEach(({ content, tag, lifetimeMs }, index) => {
      const key = index === 0 ? idempotency : undefined;
      const [fingerprint] = key === undefined ? [] : fingerprintsOf(key);
      this.#run(sql`INSERT INTO mail (id, state, tag, created_at, updated_at, expires_at, lifetime_ms, due_at,
          attempts, unknown_outcomes, idempotency_key, fingerprint, first_id, last_id, size, content)
        VALUES (${ids[index]}, 'queued', ${tag}, ${now}, ${now}, ${now + lifetimeMs}, ${lifetimeMs}, ${now},
          0, 0, ${key?.key}, ${fingerprint}, ${first}, ${last}, ${content.length}, ${content})`);
    });
    return ids;
  }

  #replay(idempotency: IdempotencyKey, now: number): AcceptResult | undefined {
    const [known] = this.#read<{ fingerprint: string; first_id: string; last_id: string }>(sql`
      SELECT fingerprint, first_id, last_id FROM mail WHERE idempotency_key = ${idempotency.key}`);
    if (known === undefined) return undefined;
    if (!fingerprintsOf(idempotency).includes(known.fingerprint)) return { kind: "key_reused" };
    const mails = this.#select(sql`WHERE id BETWEEN ${known.first_id} AND ${known.last_id} ORDER BY id`);
    const messages = mails.map(({ id, state }) => ({ id, state: this.get(id, now)?.state ?? state }));
    return { kind: "accepted", messages, replayed: true };
  }

  #expireOne(mail: MailRow, now: number): void {
    this.finish(mail, "expired", { failure: this.#reasonOf(mail) }, now);
  }

  /** @returns the number of records purged */
  #purgeSome(before: number): number {
    // Nothing is final before it is created, and ids are ordered by creation.
    const purged = this.#read<{ size: number }>(sql`DELETE FROM mail WHERE id IN (
      SELECT id FROM mail AS m WHERE id < ${leastIdAt(before + 1)} AND due_at IS NULL AND updated_at <= ${before}
        AND NOT EXISTS (
          SELECT 1 FROM mail AS other WHERE other.id BETWEEN m.first_id AND m.last_id
          AND (other.due_at IS NOT NULL OR other.updated_at > ${before})
        ) LIMIT ${PURGE_SIZE.rows}
      ) RETURNING size`);
    this.#addUsage(0, -purged.reduce((sum, { size }) => sum + size, 0));
    return purged.length;
  }

  get #unclaimed(): Statement {
    return sql`id NOT IN (SELECT value FROM json_each(${JSON.stringify([...this.#claimed])}))`;
  }

  /** The state of a row: what has started is being sent. */
  get #state(): Statement {
    const started = JSON.stringify([...this.#started]);
    return sql`iif(id IN (SELECT value FROM json_each(${started})), 'sending', state)`;
  }

  #select(rest: Statement): MailRow[] {
    return this.#read<MailRow>(sql`SELECT ${COLUMNS}, ${this.#state} AS state FROM mail ${rest}`);
  }

  #read<Row>(statement: Statement): Row[] {
    if (!this.#hasTables) return [];
    return this.#run(statement).toArray() as Row[];
  }

  #run({ text, values }: Statement): SqlStorageCursor<Record<string, SqlStorageValue>> {
    return this.#storage.sql.exec(text, ...values);
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

  /** Waiting messages, and bytes of content. Read once, since the table may hold a million records. */
  #loadUsage(): { mails: number; bytes: number } {
    this.#usage ??= this.#read<{ mails: number; bytes: number }>(sql`SELECT count(*) AS mails,
      coalesce(sum(size), 0) + (SELECT coalesce(sum(size), 0) FROM mail WHERE due_at IS NULL AND size > 0) AS bytes
      FROM mail WHERE due_at IS NOT NULL`)[0];
    return this.#usage ?? { mails: 0, bytes: 0 };
  }

  #addUsage(mails: number, bytes: number): void {
    if (this.#usage === undefined) return;
    this.#usage.mails += mails;
    this.#usage.bytes += bytes;
  }
}

/** What to store of a message that waits for another attempt. */
interface Requeued {
  at: number;
  trials: Trials;
  failure: FailureReport;
}

function fingerprintsOf({ fingerprints }: IdempotencyKey): string[] {
  return fingerprints.map(([kid, fingerprint]) => `${kid} ${fingerprint}`);
}
