import { isOf } from "./mail-queries.ts";
import type { MailState } from "./mail-row.ts";
import type { MailStore } from "./mail-store.ts";
import { RETENTION_MS } from "./retention.ts";
import { type Statement, sql } from "./sql.ts";

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

/** Messages that one request submits, and who does. */
export interface Submission {
  messages: readonly NewMail[];
  idempotency: IdempotencyKey | undefined;
  /** The application that submits them: it alone may use its keys, and manage its messages. */
  application: string;
  /** `kid` of the key that has sealed them. */
  kid: string;
}

export type AcceptResult =
  | { kind: "accepted"; messages: { id: string; state: MailState }[]; replayed: boolean }
  | { kind: "nothing_stored" | "idempotency_key_reused" }
  | { kind: "outbox_full" };

/**
 * Accepts messages into an outbox, all or none, in one transaction. A known idempotency key stores nothing, and repeats
 * its result.
 *
 * @param hasSettings whether new messages may be stored
 */
export function accept(
  store: MailStore,
  submission: Submission,
  hasSettings: boolean,
  now: number,
): AcceptResult {
  const { table } = store;
  const { messages } = submission;
  const replayed = replay(store, submission, now);
  if (replayed !== undefined) return replayed;
  if (!hasSettings) return { kind: "nothing_stored" };
  const bytes = messages.reduce((sum, { content }) => sum + content.length, 0);
  if (!store.makeRoomFor(messages.length, bytes, now)) return { kind: "outbox_full" };
  const ids = messages.map(() => table.newId(now));
  table.insert(insertions(submission, ids, now));
  table.usage.add(messages.length, bytes);
  return { kind: "accepted", messages: ids.map((id) => ({ id, state: "queued" })), replayed: false };
}

function replay(
  store: MailStore,
  { idempotency, application }: Submission,
  now: number,
): AcceptResult | undefined {
  if (idempotency === undefined) return undefined;
  const { table } = store;
  const isKnown = sql`idempotency_key = ${idempotency.key} AND ${isOf(application)}`;
  // No purge has come by yet.
  table.run(sql`UPDATE mail SET idempotency_key = NULL, fingerprint = NULL
    WHERE ${isKnown} AND created_at <= ${now - RETENTION_MS}`);
  const [known] = table.run<{ fingerprint: string; first_id: string; last_id: string }>(sql`
    SELECT fingerprint, first_id, last_id FROM mail WHERE ${isKnown}`);
  if (known === undefined) return undefined;
  if (!fingerprintsOf(idempotency).includes(known.fingerprint)) return { kind: "idempotency_key_reused" };
  const isOfRequest = sql`id BETWEEN ${known.first_id} AND ${known.last_id}`;
  store.expire(now, isOfRequest);
  const rows = table.select(sql`WHERE ${isOfRequest} ORDER BY id`);
  return { kind: "accepted", messages: rows.map(({ id, state }) => ({ id, state })), replayed: true };
}

/** The messages of a request with a key know each other, and the first one holds the key. */
function insertions(
  { messages, idempotency, application, kid }: Submission,
  ids: readonly string[],
  now: number,
): Statement[] {
  const [first, last] = idempotency === undefined ? [] : [ids[0], ids.at(-1)];
  return messages.map(({ content, tag, lifetimeMs }, index) => {
    const key = index === 0 ? idempotency : undefined;
    const [fingerprint] = key === undefined ? [] : fingerprintsOf(key);
    return sql`INSERT INTO mail (id, state, tag, created_at, updated_at, expires_at, lifetime_ms, due_at,
        attempts, unknown_outcomes, application, idempotency_key, fingerprint, first_id, last_id, kid, size, content)
      VALUES (${ids[index]}, 'queued', ${tag}, ${now}, ${now}, ${now + lifetimeMs}, ${lifetimeMs}, ${now},
        0, 0, ${application}, ${key?.key}, ${fingerprint}, ${first}, ${last}, ${kid}, ${content.length}, ${content})`;
  });
}

function fingerprintsOf({ fingerprints }: IdempotencyKey): string[] {
  return fingerprints.map(([kid, fingerprint]) => `${kid} ${fingerprint}`);
}
