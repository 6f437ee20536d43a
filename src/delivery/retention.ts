import { leastIdAt } from "./mail-id.ts";
import type { MailTable } from "./mail-table.ts";
import { sql } from "./sql.ts";

/** How long records live after their final state, and idempotency keys with them, in milliseconds: 7 days. */
const RETENTION_MS = 7 * 24 * 60 * 60_000;

/** Time between two purges, in milliseconds: one alarm purges all records of an hour. */
const PURGE_INTERVAL_MS = 60 * 60_000;

/** Records purged per statement, and statements per purge: an alarm has 30 seconds of CPU. */
const PURGE_SIZE = { rows: 1_000, statements: 100 };

/** Deletes records whose retention is over. Messages of one idempotency key go together, and the key with them. */
export function purge(table: MailTable, now: number): void {
  let purged = PURGE_SIZE.rows;
  for (let statement = 0; statement < PURGE_SIZE.statements && purged === PURGE_SIZE.rows; statement++) {
    purged = purgeSome(table, now - RETENTION_MS);
  }
}

/** Time of the next purge, if there are records. */
export function nextPurgeAt(table: MailTable, now: number): number | undefined {
  const [oldest] = table.select(sql`ORDER BY id LIMIT 1`);
  if (oldest === undefined) return undefined;
  const finalAt = oldest.due_at === null ? oldest.updated_at : oldest.expires_at;
  return Math.max(finalAt + RETENTION_MS, now) + PURGE_INTERVAL_MS;
}

/** @returns the number of records purged */
function purgeSome(table: MailTable, before: number): number {
  // Nothing is final before it is created, and ids are ordered by creation.
  const purged = table.run<{ size: number }>(sql`DELETE FROM mail WHERE id IN (
      SELECT id FROM mail AS m WHERE id < ${leastIdAt(before + 1)} AND due_at IS NULL AND updated_at <= ${before}
        AND NOT EXISTS (
          SELECT 1 FROM mail AS other WHERE other.id BETWEEN m.first_id AND m.last_id
          AND (other.due_at IS NOT NULL OR other.updated_at > ${before})
        ) LIMIT ${PURGE_SIZE.rows}
      ) RETURNING size`);
  table.usage.add(0, -purged.reduce((sum, { size }) => sum + size, 0));
  return purged.length;
}
