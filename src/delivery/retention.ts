import { leastIdAt } from "./mail-id.ts";
import type { MailTable } from "./mail-table.ts";
import { earliest } from "./pause.ts";
import { sql } from "./sql.ts";

/**
 * How long a record lives after its final state, and an idempotency key after its request, in milliseconds: 7 days. No
 * record of the request is gone by then.
 */
export const RETENTION_MS = 7 * 24 * 60 * 60_000;

/** Time between two purges, in milliseconds: one alarm purges all records of an hour. */
const PURGE_INTERVAL_MS = 60 * 60_000;

/** Records purged per statement, and statements per purge: an alarm has 30 seconds of CPU. */
const PURGE_SIZE = { rows: 1_000, statements: 100 };

/** Deletes records and idempotency keys whose retention is over. */
export class Retention {
  readonly #table: MailTable;
  /** When something ends first. What is written later ends later. */
  #firstEnd: number | undefined;

  constructor(table: MailTable) {
    this.#table = table;
  }

  purge(now: number): void {
    const before = now - RETENTION_MS;
    let purged = PURGE_SIZE.rows;
    for (let statement = 0; statement < PURGE_SIZE.statements && purged === PURGE_SIZE.rows; statement++) {
      purged = this.#purgeSome(before);
    }
    // Of records that live on, because they waited or were retried.
    this.#table.run(sql`UPDATE mail SET idempotency_key = NULL, fingerprint = NULL
      WHERE id < ${leastIdAt(before + 1)} AND idempotency_key IS NOT NULL`);
    this.#firstEnd = undefined;
  }

  /** Time of the next purge, if there are records. */
  nextPurgeAt(now: number): number | undefined {
    this.#firstEnd ??= this.#findFirstEnd(now);
    return this.#firstEnd && Math.max(this.#firstEnd, now) + PURGE_INTERVAL_MS;
  }

  /** @returns the number of records purged */
  #purgeSome(before: number): number {
    // Nothing is final before it is created, and ids are ordered by creation.
    const purged = this.#table.run<{ size: number }>(sql`DELETE FROM mail WHERE id IN (
        SELECT id FROM mail WHERE id < ${leastIdAt(before + 1)} AND due_at IS NULL AND updated_at <= ${before}
        LIMIT ${PURGE_SIZE.rows}
      ) RETURNING size`);
    this.#table.usage.add(0, -purged.reduce((sum, { size }) => sum + size, 0));
    return purged.length;
  }

  /** The first end of a record's or a key's retention, or a time before it. */
  #findFirstEnd(now: number): number | undefined {
    const isOld = sql`id < ${leastIdAt(now - RETENTION_MS + 1)}`;
    const [old] = this.#table.run<{ at: number | null }>(
      sql`SELECT min(iif(idempotency_key IS NULL, updated_at, created_at)) AS at FROM mail
        WHERE ${isOld} AND (due_at IS NULL OR idempotency_key IS NOT NULL)`,
    );
    const [young] = this.#table.run<{ at: number }>(
      sql`SELECT created_at AS at FROM mail WHERE NOT ${isOld} ORDER BY id LIMIT 1`,
    );
    const first = earliest([old?.at ?? undefined, young?.at]);
    return first && first + RETENTION_MS;
  }
}
