import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

/** What the object of a tenant has stored. */
export class OutboxDatabase {
  readonly #tenant: string;

  constructor(tenant: string) {
    this.#tenant = tenant;
  }

  query<Row extends Record<string, SqlStorageValue>>(
    sql: string,
    ...values: SqlStorageValue[]
  ): Promise<Row[]> {
    return this.#in(({ sql: database }) => database.exec<Row>(sql, ...values).toArray());
  }

  /** Changes the row of a message. */
  async change(assignment: string, id: string): Promise<void> {
    await this.query(`UPDATE mail SET ${assignment} WHERE id = ?`, id);
  }

  /** Copies the only row until there are this many more. */
  async multiply(count: number): Promise<void> {
    await this.query(
      `WITH RECURSIVE copies(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < ?1)
        INSERT INTO mail (id, state, tag, created_at, updated_at, expires_at, lifetime_ms, due_at, attempts,
          unknown_outcomes, message_id, failure, size, content)
        SELECT substr(id, 1, 24) || printf('%012x', n), state, tag, created_at, updated_at, expires_at, lifetime_ms,
          due_at, attempts, unknown_outcomes, message_id, failure, size, content
        FROM mail, copies`,
      count,
    );
  }

  /** The names of the tables. */
  async tables(): Promise<string[]> {
    const tables = await this.query<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'");
    return tables.map(({ name }) => name).filter((name) => !name.startsWith("_cf_"));
  }

  /** The keys beside the tables. */
  keys(): Promise<string[]> {
    return this.#in(async (storage) => [...(await storage.list()).keys()]);
  }

  /** The value of such a key. */
  value(key: string): Promise<unknown> {
    return this.#in(({ kv }) => kv.get(key));
  }

  async deleteKey(key: string): Promise<void> {
    await this.#in(({ kv }) => kv.delete(key));
  }

  #in<Result>(read: (storage: DurableObjectStorage) => Result | Promise<Result>): Promise<Result> {
    return runInDurableObject(env.OUTBOX.getByName(this.#tenant), (_, { storage }) => read(storage));
  }
}
