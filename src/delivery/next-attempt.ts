import type { MailStore } from "./mail-store.ts";
import type { OutboxState } from "./outbox-state.ts";
import { wakeAt } from "./pause.ts";

/** When an outbox has something to send, if ever. */
export function nextAttemptAt(store: MailStore, { pause }: OutboxState): number | undefined {
  return pause === undefined ? store.nextDueAt() : wakeAt(pause, store.waiting(pause));
}
