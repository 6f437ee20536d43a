import type { MailStore } from "./mail-store.ts";
import { nextAttemptAt } from "./next-attempt.ts";
import type { OutboxState } from "./outbox-state.ts";
import { earliest } from "./pause.ts";
import { sql } from "./sql.ts";

/** When a full outbox may have room again: no message leaves before the next attempt, or before one expires. */
export function nextRoomAt(store: MailStore, state: OutboxState, now: number): number {
  const [waiting] = store.table.run<{ expires_at: number | null }>(
    sql`SELECT min(expires_at) AS expires_at FROM mail WHERE due_at IS NOT NULL`,
  );
  return earliest([nextAttemptAt(store, state), waiting?.expires_at ?? undefined]) ?? now;
}
