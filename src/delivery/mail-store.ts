import { log } from "../log.ts";
import { mayHaveArrived } from "../smtp/diagnosis.ts";
import {
  assignmentOf,
  COLUMNS,
  conditionOf,
  conditionOfNew,
  IS_URGENT,
  isOf,
  KEEPS_SCHEDULE,
  RESTARTED,
} from "./mail-queries.ts";
import { type ClaimedMail, type MailRow, type MailState, mayBeRetried } from "./mail-row.ts";
import type { MailTable } from "./mail-table.ts";
import { newOf, type Pause, type Selection, type Waiting } from "./pause.ts";
import type { FailureReport } from "./report.ts";
import type { Decision } from "./retry-policy.ts";
import { type Statement, sql } from "./sql.ts";

/** Content freed at once at least, in bytes, so that a full outbox does not look for more with each message. */
const MIN_FREED_BYTES = 1024 ** 2;

/** Whose content, and its size in bytes. */
type Content = Pick<MailRow, "id" | "size">;

/** Which messages to list, and how many. */
export interface ListFilter {
  /** Only messages of this application. */
  application: string | undefined;
  state: MailState | undefined;
  tag: string | undefined;
  /** Only older messages than that of this id. */
  before: string | undefined;
  limit: number;
}

/** The messages of one tenant: reads them, claims them, and records what becomes of them. */
export class MailStore {
  readonly table: MailTable;
  readonly #tenant: string;
  readonly #reasonOf: (mail: MailRow) => FailureReport | undefined;

  /** @param reasonOf what a message waits for, in case it expires */
  constructor(tenant: string, table: MailTable, reasonOf: (mail: MailRow) => FailureReport | undefined) {
    this.#tenant = tenant;
    this.table = table;
    this.#reasonOf = reasonOf;
  }

  /** @param application only if this one has submitted it */
  get(id: string, application?: string): MailRow | undefined {
    return this.table.select(sql`WHERE id = ${id} AND ${isOf(application)}`)[0];
  }

  content(id: string): string | undefined {
    const [row] = this.table.run<{ content: string | null }>(sql`SELECT content FROM mail WHERE id = ${id}`);
    return row?.content ?? undefined;
  }

  /** Lists messages, the newest first. */
  list({ application, state, tag, before, limit }: ListFilter): MailRow[] {
    return this.table.select(sql`WHERE ${isOf(application)}
      AND (${state} IS NULL OR ${this.table.claims.state} = ${state}) AND (${tag} IS NULL OR tag = ${tag}) AND id < coalesce(${before}, 'g') ORDER BY id DESC LIMIT ${limit}`);
  }

  /** Time of the next attempt, if messages wait that are not claimed. */
  nextDueAt(): number | undefined {
    const [mail] = this.table.run<{ due_at: number }>(sql`SELECT due_at FROM mail
      WHERE ${this.#waits} ORDER BY due_at LIMIT 1`);
    return mail?.due_at;
  }

  /** What waits in a paused outbox, apart from claimed messages. */
  waiting(pause: Pause): Waiting {
    const isNew = (isUrgent: boolean) => conditionOfNew(newOf(pause, { isUrgent }));
    const [row] = this.table.run<Record<string, number | null>>(sql`SELECT
      max(NOT ${KEEPS_SCHEDULE} AND ${IS_URGENT}) AS urgent,
      max(${isNew(true)}) AS new_urgent,
      max(${isNew(false)}) AS new_ordinary,
      min(iif(${KEEPS_SCHEDULE}, due_at, NULL)) AS unknown_due_at,
      min(iif(${KEEPS_SCHEDULE}, NULL, coalesce(tried_at, 0))) AS least_tried_at
      FROM mail WHERE ${this.#waits}`);
    return {
      urgent: row?.urgent === 1,
      newUrgent: row?.new_urgent === 1,
      newOrdinary: row?.new_ordinary === 1,
      unknownDueAt: row?.unknown_due_at ?? undefined,
      leastTriedAt: row?.least_tried_at ?? undefined,
    };
  }

  /** Messages that were being sent when the object stopped. */
  interrupted(): MailRow[] {
    return this.table.select(sql`WHERE ${this.#waits} AND state = 'sending'`);
  }

  /** Claims the message to send next, until {@link MailStore.release}. Messages whose lifetime is over expire. */
  claim(selection: Selection, now: number): ClaimedMail | undefined {
    for (;;) {
      const [mail] =
        this.table.run<ClaimedMail>(sql`SELECT ${COLUMNS}, state, coalesce(content, '') AS content
        FROM mail WHERE ${this.#waits} AND ${conditionOf(selection, now)} LIMIT 1`);
      if (mail === undefined) return undefined;
      if (mail.expires_at > now) {
        this.table.claims.claim(mail.id);
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
    const isWaiting = typeof this.get(id)?.due_at === "number";
    if (isWaiting) this.table.claims.start(id);
    return isWaiting;
  }

  release(id: string): void {
    this.table.claims.release(id);
  }

  releaseAll(): void {
    this.table.claims.releaseAll();
  }

  /** Records that the content of a message is about to leave. Workers write it to disk before the socket. */
  markSending(id: string, messageId: string, now: number): void {
    this.table.run(sql`UPDATE mail SET state = 'sending', attempts = attempts + 1, message_id = ${messageId},
      updated_at = ${now} WHERE id = ${id}`);
  }

  /** Takes back the attempt, if it was recorded: it was not about this message. */
  unmarkSending(id: string): void {
    this.table.run(
      sql`UPDATE mail SET state = 'queued', attempts = attempts - 1 WHERE id = ${id} AND state = 'sending'`,
    );
  }

  /** Records a try that did not get as far as this message, which goes behind the others if it still waits. */
  markTried(id: string, now: number): void {
    this.table.run(
      sql`UPDATE mail SET state = 'queued', tried_at = ${now} WHERE id = ${id} AND due_at IS NOT NULL`,
    );
  }

  /**
   * Ends an attempt: queues the message again, or fails it.
   *
   * @returns its state
   */
  settle(mail: MailRow, decision: Decision, failure: FailureReport, now: number): "queued" | "failed" {
    const { trials } = decision;
    if (decision.action === "fail") {
      const report = decision.mayHaveArrived ? mayHaveArrived(failure) : failure;
      this.finish(mail, "failed", { attempts: trials.attempts, failure: report }, now);
      return "failed";
    }
    this.table.run(sql`UPDATE mail SET state = 'queued', due_at = ${decision.at},
      failure = ${JSON.stringify(failure)}, tried_at = ${now}, updated_at = ${now}, ${assignmentOf(trials)}
      WHERE id = ${mail.id}`);
    return "queued";
  }

  /** Ends a message. Its content is dropped, unless it may be retried by hand. */
  finish(
    { id, size }: Content,
    state: Exclude<MailState, "queued" | "sending">,
    { attempts, failure }: { attempts?: number; failure?: FailureReport | undefined },
    now: number,
  ): void {
    const keepsContent = mayBeRetried({ state });
    const dropped = keepsContent ? sql`` : sql`, size = 0, content = NULL`;
    const report = failure === undefined ? null : JSON.stringify(failure);
    this.table.run(sql`UPDATE mail SET state = ${state}, due_at = NULL, updated_at = ${now},
      attempts = coalesce(${attempts}, attempts), failure = coalesce(${report}, failure) ${dropped}
      WHERE id = ${id}`);
    this.table.usage.add(-1, keepsContent ? 0 : -size);
  }

  /**
   * Queues a failed or expired message again, with new content and a new lifetime.
   *
   * @returns whether the outbox has room for it
   */
  retry(
    { id, lifetime_ms, size }: MailRow,
    { content, kid }: { content: string; kid: string },
    now: number,
  ): boolean {
    const bytes = content.length - size;
    if (!this.makeRoomFor(1, bytes, now, id)) return false;
    this.table.run(sql`UPDATE mail SET state = 'queued', due_at = ${now}, expires_at = ${now + lifetime_ms},
      updated_at = ${now}, kid = ${kid}, size = ${content.length}, content = ${content}, tried_at = NULL, attempts = 0,
      ${RESTARTED} WHERE id = ${id}`);
    this.table.usage.add(1, bytes);
    return true;
  }

  /** Deletes the content of a message that has failed or expired. Its state stays. */
  deleteContent({ id, size }: Content): void {
    this.table.run(sql`UPDATE mail SET size = 0, content = NULL WHERE id = ${id}`);
    this.table.usage.add(0, -size);
  }

  /** Records that the connection that refused these messages has accepted another one. */
  markOthersAccepted(ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.table.run(sql`UPDATE mail SET others_accepted = 1
      WHERE due_at IS NOT NULL AND id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`);
  }

  /**
   * Makes all messages due that waited during a pause. The next attempt takes no step of their schedules.
   *
   * @param showsAcceptance whether the server has accepted a message, so that those that may have arrived are due, too
   */
  endWait(now: number, { showsAcceptance }: { showsAcceptance: boolean }): void {
    this.table.run(sql`UPDATE mail SET due_at = ${now}, step = max(step - 1, 0)
      WHERE due_at > ${now} AND (unknown_outcomes = 0 OR ${showsAcceptance ? 1 : 0})
      AND ${this.table.claims.isUnclaimed}`);
  }

  /**
   * Starts the schedules of waiting messages again, also of those that are being sent.
   *
   * @param includesUnknown whether also of those that may have arrived: each start may cause copies
   */
  restart(now: number, { includesUnknown }: { includesUnknown: boolean }): void {
    this.table.run(sql`UPDATE mail SET due_at = min(due_at, ${now}), ${RESTARTED}
      WHERE due_at IS NOT NULL AND (due_at > ${now} OR step > 0 OR refusals > 0)
      AND (unknown_outcomes = 0 OR ${includesUnknown ? 1 : 0})`);
  }

  /**
   * Ends the messages whose lifetime is over, unless they are being sent. They are due by then: no attempt is set for
   * later.
   *
   * @param among which messages to look at. Default: all
   */
  expire(now: number, among: Statement = sql`TRUE`): void {
    const over = this.table.select(sql`WHERE due_at <= ${now} AND expires_at <= ${now}
      AND ${this.table.claims.state} = 'queued' AND ${among}`);
    for (const mail of over) this.#expireOne(mail, now);
  }

  /** Ends this message if its lifetime is over, unless it is being sent. */
  expireIfOver(id: string, now: number): void {
    this.expire(now, sql`id = ${id}`);
  }

  /**
   * If there is no room for more otherwise, makes messages expire whose lifetime is over, then deletes the content that
   * has waited longest for a retry.
   *
   * @param spared id of a message that keeps its content
   * @returns whether there is room
   */
  makeRoomFor(messages: number, bytes: number, now: number, spared = ""): boolean {
    const { usage } = this.table;
    if (usage.hasRoomFor(messages, bytes)) return true;
    this.expire(now);
    if (usage.hasRoomFor(messages, bytes)) return true;
    if (!usage.hasRoomFor(messages, 0)) return false;
    this.#deleteOldestContent(Math.max(usage.bytesOver(bytes), MIN_FREED_BYTES), spared);
    return usage.hasRoomFor(messages, bytes);
  }

  /** Deletes content of failed and expired messages, the oldest first, until this many bytes are free. */
  #deleteOldestContent(bytes: number, spared: string): void {
    const deleted = { messages: 0, bytes: 0 };
    while (deleted.bytes < bytes) {
      const [oldest] = this.table.run<Content>(sql`SELECT id, size FROM mail
        WHERE due_at IS NULL AND size > 0 AND id <> ${spared} ORDER BY updated_at LIMIT 1`);
      if (oldest === undefined) break;
      this.deleteContent(oldest);
      deleted.messages++;
      deleted.bytes += oldest.size;
    }
    log("warn", "failed content deleted", { tenant: this.#tenant, ...deleted });
  }

  #expireOne(mail: MailRow, now: number): void {
    this.finish(mail, "expired", { failure: this.#reasonOf(mail) }, now);
  }

  /** Whether a message waits that no delivery run has taken. */
  get #waits(): Statement {
    return sql`due_at IS NOT NULL AND ${this.table.claims.isUnclaimed}`;
  }
}
