import { LoginLimit } from "./login-limit.ts";
import type { Pause } from "./pause.ts";
import type { Moment, Outcome } from "./retry-policy.ts";

/** How long settings just saved replace those in KV, in milliseconds: KV may show the previous ones for 90 s. */
const LATEST_SETTINGS_MS = 2 * 60_000;

/** How long an outbox spares logins after it has made too many. */
const SCARCE_LOGINS_MS = 60 * 60_000;

/** Different messages in a row, without an acceptance between them, that pause an outbox. */
const MAX_IN_A_ROW: Record<Outcome, number> = { refused: 3, deferred: 10, unknown: 2 };

const PAUSE = "pause";
const EVIDENCE = "evidence";
const STREAKS = "streaks";
const SCARCE_LOGINS = "scarceLogins";
const LATEST_SETTINGS = "settings";

/** Settings that were just saved or deleted. */
export interface LatestSettings {
  /** The sealed record; `undefined` after a delete. */
  jwe: string | undefined;
  at: number;
}

/** What has worked with some settings, and when it did last. */
interface Evidence {
  /** The settings, as a keyed hash by each settings key. */
  fingerprints: readonly string[];
  loggedInAt?: number;
  senderAcceptedAt?: number;
  messageAcceptedAt?: number;
}

/** Ids of the messages that ended alike since the last acceptance, by how they ended. */
type Streaks = Partial<Record<Outcome, readonly string[]>>;

/**
 * What an outbox knows beside its messages: whether it pauses, and what has worked. Key-value pairs in the storage
 * of the object; `docs/storage.md` lists them.
 */
export class OutboxState {
  readonly logins: LoginLimit;
  readonly #storage: SyncKvStorage;
  readonly #values = new Map<string, unknown>();
  #evidence: Evidence | undefined;
  #storedEvidence: Evidence | undefined;
  #lastTick = 0;

  constructor(storage: SyncKvStorage) {
    this.#storage = storage;
    this.logins = new LoginLimit(storage);
  }

  get pause(): Pause | undefined {
    return this.#get<Pause>(PAUSE);
  }

  set pause(pause: Pause | undefined) {
    this.#put(PAUSE, pause);
  }

  /** A time later than all earlier ones, so that events are ordered. */
  tick(now: number): number {
    this.#lastTick = Math.max(now, this.#lastTick + 1);
    return this.#lastTick;
  }

  /** The moment at which an attempt ended. */
  moment(now: number): Moment {
    // Read first: what an earlier instance has accepted came before.
    const { messageAcceptedAt: acceptedAt } = this.evidence;
    return { now, tick: this.tick(now), acceptedAt };
  }

  /**
   * Starts a delivery run with some settings. What has worked with others says nothing about these.
   *
   * @returns whether they differ from those of the last run
   */
  useSettings(fingerprints: readonly string[]): boolean {
    const known = this.#loadEvidence();
    const isSame = known?.fingerprints.some((fingerprint) => fingerprints.includes(fingerprint)) ?? false;
    if (!isSame) {
      this.#evidence = { fingerprints };
      this.#put(STREAKS, undefined);
    } else if (known?.fingerprints.join() !== fingerprints.join()) {
      // The settings keys have been rotated.
      this.record({}, fingerprints);
    }
    return known !== undefined && !isSame;
  }

  /** What has worked with the settings of the last run, of this instance or an earlier one. */
  get evidence(): Evidence {
    return this.#loadEvidence() ?? { fingerprints: [] };
  }

  record(worked: Omit<Evidence, "fingerprints">, fingerprints = this.evidence.fingerprints): void {
    this.#evidence = { ...this.evidence, ...worked, fingerprints };
  }

  /**
   * Stores the evidence, if that changes what a later run decides.
   *
   * @param isCompared whether messages wait whose refusals are compared with it
   */
  storeEvidence(isCompared: boolean): void {
    const [known, stored] = [this.#evidence, this.#storedEvidence];
    if (known === undefined || known === stored) return;
    const times = ["loggedInAt", "senderAcceptedAt", "messageAcceptedAt"] as const;
    const isFirst = times.some((time) => (known[time] === undefined) !== (stored?.[time] === undefined));
    if (known.fingerprints === stored?.fingerprints && !isFirst && !isCompared) return;
    this.#put(EVIDENCE, known);
    this.#storedEvidence = known;
  }

  /** Forgets what has worked: the settings are deleted. The next ones differ from them. */
  forgetEvidence(): void {
    if (this.#loadEvidence() === undefined) return;
    this.#evidence = { fingerprints: [] };
    this.#storedEvidence = this.#evidence;
    this.#put(EVIDENCE, this.#evidence);
  }

  /**
   * Counts a message that was not accepted.
   *
   * @returns whether so many in a row have ended alike that the server or the settings must be at fault
   */
  countInARow(outcome: Outcome, id: string): boolean {
    const streaks = this.#get<Streaks>(STREAKS) ?? {};
    const ids = new Set([...(streaks[outcome] ?? []), id]);
    this.#put(STREAKS, { ...streaks, [outcome]: [...ids] });
    return ids.size >= MAX_IN_A_ROW[outcome];
  }

  /** A message was accepted: what follows is counted from there. */
  endStreaks(): void {
    this.#put(STREAKS, undefined);
  }

  /** Whether logins are few, so that an idle connection is worth keeping. */
  isShortOfLogins(now: number): boolean {
    return now < (this.#get<number>(SCARCE_LOGINS) ?? 0);
  }

  spareLogins(now: number): void {
    this.#put(SCARCE_LOGINS, now + SCARCE_LOGINS_MS);
  }

  /** The settings, if they were saved or deleted recently. Otherwise KV shows them. */
  latestSettings(now: number): LatestSettings | undefined {
    return now < (this.latestSettingsUntil ?? 0) ? this.#get(LATEST_SETTINGS) : undefined;
  }

  /** When settings are no longer needed that are kept because they were saved or deleted recently. */
  get latestSettingsUntil(): number | undefined {
    const latest = this.#get<LatestSettings>(LATEST_SETTINGS);
    return latest && latest.at + LATEST_SETTINGS_MS;
  }

  keepLatestSettings(latest: LatestSettings): void {
    this.#put(LATEST_SETTINGS, latest);
  }

  /** Drops settings that KV shows by now. */
  dropLatestSettings(now: number): void {
    if (this.latestSettings(now) === undefined) this.#put(LATEST_SETTINGS, undefined);
  }

  #loadEvidence(): Evidence | undefined {
    if (this.#evidence === undefined) {
      this.#storedEvidence = this.#get<Evidence>(EVIDENCE);
      this.#evidence = this.#storedEvidence;
      this.#lastTick = Math.max(this.#lastTick, this.#evidence?.messageAcceptedAt ?? 0);
    }
    return this.#evidence;
  }

  /** Nobody else writes these pairs, so each is read once. */
  #get<Value>(key: string): Value | undefined {
    if (!this.#values.has(key)) this.#values.set(key, this.#storage.get(key));
    return this.#values.get(key) as Value | undefined;
  }

  /** Writes or deletes a pair. A pair that is absent already costs no row. */
  #put(key: string, value: unknown): void {
    const isAbsent = this.#get(key) === undefined;
    this.#values.set(key, value);
    if (value !== undefined) this.#storage.put(key, value);
    else if (!isAbsent) this.#storage.delete(key);
  }
}
