import { type FailureKind, precedesMail, type SmtpResult } from "../smtp/result.ts";

const MINUTE_MS = 60_000;

/** Logins that may be tried with settings that have never logged in: more would guess passwords. */
export const LOGIN_LIMITS = [
  { logins: 10, periodMs: MINUTE_MS },
  { logins: 100, periodMs: 24 * 60 * MINUTE_MS },
] as const;

/** Settings that are known to have logged in. The oldest go first. */
export const MAX_PROVEN_LOGINS = 100;

const LOGINS = "logins";
const PROVEN = "provenLogins";

/** Whether a login may be tried. */
export type LoginPermit =
  /** These settings have logged in before. */
  | { kind: "proven" }
  /** It counts, as the one of this time, until {@link LoginLimit.end} says that none was tried. */
  | { kind: "counted"; at: number }
  /** None may be tried before this time. */
  | { kind: "limited"; until: number };

/** What became of a login that counts. `untried`: the server got neither password nor token. */
export type LoginOutcome = "succeeded" | "failed" | "untried";

/**
 * Limits the logins of a tenant with settings that have never logged in, wherever they come from. Kept in the storage of
 * its outbox; `docs/storage.md` lists the pairs.
 */
export class LoginLimit {
  readonly #storage: SyncKvStorage;

  constructor(storage: SyncKvStorage) {
    this.#storage = storage;
  }

  /**
   * Counts a login, unless the settings have logged in before.
   *
   * @param fingerprints of the settings, by each settings key
   */
  begin(fingerprints: readonly string[], now: number): LoginPermit {
    if (this.#findProven(fingerprints) >= 0) return { kind: "proven" };
    const logins = this.#logins.filter((at) => at > now - LOGIN_LIMITS[1].periodMs);
    const until = LOGIN_LIMITS.map((limit) => (logins.at(-limit.logins) ?? -Infinity) + limit.periodMs);
    if (Math.max(...until) > now) return { kind: "limited", until: Math.max(...until) };
    this.#storage.put(LOGINS, [...logins, now]);
    return { kind: "counted", at: now };
  }

  /** Ends a login that counts: only one that has failed still does. */
  end(fingerprints: readonly string[], at: number, outcome: LoginOutcome): void {
    if (outcome === "failed") return;
    const logins = [...this.#logins];
    const index = logins.lastIndexOf(at);
    if (index >= 0) logins.splice(index, 1);
    if (logins.length > 0) this.#storage.put(LOGINS, logins);
    else this.#storage.delete(LOGINS);
    if (outcome === "succeeded") this.prove(fingerprints);
  }

  /** Records that settings have logged in. */
  prove(fingerprints: readonly string[]): void {
    const proven = this.#proven;
    const index = this.#findProven(fingerprints);
    if (index < 0) this.#storage.put(PROVEN, [...proven, fingerprints].slice(-MAX_PROVEN_LOGINS));
    // The settings keys have been rotated.
    else if (proven[index]?.join() !== fingerprints.join()) {
      this.#storage.put(PROVEN, proven.with(index, fingerprints));
    }
  }

  #findProven(fingerprints: readonly string[]): number {
    return this.#proven.findIndex((known) => known.some((fingerprint) => fingerprints.includes(fingerprint)));
  }

  get #logins(): readonly number[] {
    return this.#storage.get<number[]>(LOGINS) ?? [];
  }

  get #proven(): readonly (readonly string[])[] {
    return this.#storage.get<string[][]>(PROVEN) ?? [];
  }
}

/** Failures before the server, or the token endpoint, could check anything. */
const UNTRIED: readonly FailureKind[] = [
  "credentials_need_tls",
  "authentication_not_offered",
  "token_forbidden",
  "token_unreachable",
];

/** What became of the login of a session. */
export function loginOutcomeOf(result: SmtpResult): LoginOutcome {
  if (result.ok || !precedesMail(result.failure.stage)) return "succeeded";
  const { stage, kind } = result.failure;
  const isLogin = stage === "token" || stage === "authentication";
  return isLogin && !UNTRIED.includes(kind) ? "failed" : "untried";
}
