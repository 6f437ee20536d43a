import { type Statement, sql } from "./sql.ts";

/** Maximum messages that wait in one outbox. */
export const MAX_WAITING_MESSAGES = 10_000;

/** Maximum size of all sealed messages in one outbox, in bytes, failed ones included: an object stores 10 GB. */
export const MAX_CONTENT_BYTES = 2 * 1024 ** 3;

interface Used {
  messages: number;
  bytes: number;
}

/** How many messages wait in an outbox, and the bytes of content that it stores. */
export class Usage {
  readonly #read: (statement: Statement) => Used[];
  /** Read once, since the table may hold a million records. */
  #used: Used | undefined;

  constructor(read: (statement: Statement) => Used[]) {
    this.#read = read;
  }

  hasRoomFor(messages: number, bytes: number): boolean {
    return this.#current.messages + messages <= MAX_WAITING_MESSAGES && this.bytesOver(bytes) <= 0;
  }

  /** By how many bytes this much more content exceeds the limit. */
  bytesOver(bytes: number): number {
    return this.#current.bytes + bytes - MAX_CONTENT_BYTES;
  }

  /** Counts what was written to the table. Until the usage is read, there is nothing to correct. */
  add(messages: number, bytes: number): void {
    if (this.#used === undefined) return;
    this.#used.messages += messages;
    this.#used.bytes += bytes;
  }

  get #current(): Used {
    this.#used ??= this.#read(sql`SELECT count(*) AS messages,
      coalesce(sum(size), 0) + (SELECT coalesce(sum(size), 0) FROM mail WHERE due_at IS NULL AND size > 0) AS bytes
      FROM mail WHERE due_at IS NOT NULL`)[0] ?? { messages: 0, bytes: 0 };
    return this.#used;
  }
}
