import { type Statement, sql } from "./sql.ts";

/** The messages that a delivery run has taken. Kept in memory: a restart releases them. */
export class Claims {
  readonly #claimed = new Set<string>();
  /** Those of them whose session is open. Until then, they may expire or be canceled. */
  readonly #started = new Set<string>();

  claim(id: string): void {
    this.#claimed.add(id);
  }

  start(id: string): void {
    this.#started.add(id);
  }

  release(id: string): void {
    this.#claimed.delete(id);
    this.#started.delete(id);
  }

  releaseAll(): void {
    this.#claimed.clear();
    this.#started.clear();
  }

  /** Whether a message is not claimed. */
  get isUnclaimed(): Statement {
    return sql`NOT ${isAmong(this.#claimed)}`;
  }

  /** The state of a message: what has started is being sent. */
  get state(): Statement {
    return sql`iif(${isAmong(this.#started)}, 'sending', state)`;
  }
}

function isAmong(ids: ReadonlySet<string>): Statement {
  return sql`id IN (SELECT value FROM json_each(${JSON.stringify([...ids])}))`;
}
