import { Claims } from "./claims.ts";
import { MailIds } from "./mail-id.ts";
import { COLUMNS } from "./mail-queries.ts";
import type { MailRow } from "./mail-row.ts";
import { hasTables, migrate } from "./migrations.ts";
import { type Statement, sql } from "./sql.ts";
import { Usage } from "./usage.ts";

/**
 * The table `mail`, and what memory keeps about it. It is created with the first message: an outbox that never accepted
 * one stores nothing.
 */
export class MailTable {
  readonly claims = new Claims();
  readonly usage = new Usage((statement) => this.run(statement));
  readonly #storage: DurableObjectStorage;
  #exists: boolean;
  #ids: MailIds | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#exists = hasTables(storage);
    if (this.#exists) migrate(storage);
  }

  /** An id that is greater than all others. */
  newId(now: number): string {
    this.#ids ??= new MailIds(this.select(sql`ORDER BY id DESC LIMIT 1`)[0]?.id);
    return this.#ids.next(now);
  }

  /** Inserts rows in one transaction. */
  insert(statements: readonly Statement[]): void {
    if (!this.#exists) migrate(this.#storage);
    this.#exists = true;
    this.#storage.transactionSync(() => {
      for (const statement of statements) this.run(statement);
    });
  }

  /** Whether there is no row. */
  get isEmpty(): boolean {
    return this.run(sql`SELECT 1 FROM mail LIMIT 1`).length === 0;
  }

  /**
   * Whether a row needs a key: for its content, or for the fingerprint of its idempotency key. Rows from before the
   * column `kid` may need any.
   */
  needsKey(kid: string): boolean {
    const found = this.run(sql`SELECT 1 FROM mail
      WHERE (size > 0 AND coalesce(kid, ${kid}) = ${kid}) OR instr(fingerprint, ${`${kid} `}) = 1 LIMIT 1`);
    return found.length > 0;
  }

  /** @param rest follows `FROM mail` */
  select(rest: Statement): MailRow[] {
    return this.run(sql`SELECT ${COLUMNS}, ${this.claims.state} AS state FROM mail ${rest}`);
  }

  /** @returns the rows that the statement returns; none without a table */
  run<Row>({ text, values }: Statement): Row[] {
    if (!this.#exists) return [];
    return this.#storage.sql.exec(text, ...values).toArray() as Row[];
  }
}
