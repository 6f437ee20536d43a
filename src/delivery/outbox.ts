import { DurableObject } from "cloudflare:workers";
import { loadConfig } from "../config.ts";
import { reasonOf } from "../errors.ts";
import { log } from "../log.ts";
import { KvError } from "../storage/kv.ts";
import { SealingError, type SealingKeys } from "../storage/sealing.ts";
import { type AcceptResult, accept, type Submission } from "./acceptance.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { LoginOutcome, LoginPermit } from "./login-limit.ts";
import { isContentDeleted, type MailRow, type MailState, mayBeRetried } from "./mail-row.ts";
import { type ListFilter, MailStore } from "./mail-store.ts";
import { MailTable } from "./mail-table.ts";
import { isInTime, nextAlarmAt } from "./next-alarm.ts";
import { nextAttemptAt } from "./next-attempt.ts";
import { nextRoomAt } from "./next-room.ts";
import { OutboxEntry } from "./outbox-entry.ts";
import { type LatestSettings, OutboxState } from "./outbox-state.ts";
import { openMail, sealMail } from "./sealed-mail.ts";
import { type MailStatus, reasonOfExpiry, toStatus } from "./status.ts";

/** Longest run of an alarm, by Cloudflare's limits. */
const ALARM_MAX_MS = 15 * 60_000;

/** KV does not take the entry of the outbox, so nothing is stored or changed. */
type StoreUnavailable = { kind: "store_unavailable"; reason: string };

/** The result of a request that submits messages. */
export type SubmitResult =
  | Exclude<AcceptResult, { kind: "outbox_full" }>
  /** Until `roomAt`, in milliseconds since 1970, no message leaves the outbox. */
  | { kind: "outbox_full"; roomAt: number }
  | StoreUnavailable;

/** The result of a request that changes one message. */
export type ChangeResult =
  | { kind: "changed"; mail: MailStatus }
  | { kind: "not_found" }
  | StoreUnavailable
  | { kind: "wrong_state"; state: MailState }
  | { kind: "content_deleted" }
  | { kind: "full"; roomAt: number }
  | { kind: "unreadable"; kid: string | undefined; reason: string };

/**
 * The outbox of one tenant: accepts messages, and sends them from its alarm. One object per tenant means that
 * neither a flood nor a dead server of another tenant delays it.
 *
 * @see https://developers.cloudflare.com/durable-objects/api/alarms/
 */
export class Outbox extends DurableObject<Env> {
  readonly #state: OutboxState;
  readonly #store: MailStore;
  readonly #entry: OutboxEntry;
  readonly #dispatcher: Dispatcher;
  #alarmStartedAt: number | undefined;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#state = new OutboxState(state.storage.kv);
    this.#store = new MailStore(this.#tenant, new MailTable(state.storage), (mail) =>
      reasonOfExpiry(mail, this.#state.pause),
    );
    this.#entry = new OutboxEntry(() => this.env.SMTP_SETTINGS, this.#tenant, state.storage.kv);
    this.#dispatcher = new Dispatcher(this.#tenant, this.#store, this.#state);
  }

  /**
   * Accepts messages, all or none. They are durable when this returns.
   *
   * @param isStored whether KV shows settings
   */
  async accept(submission: Submission, isStored: boolean): Promise<SubmitResult> {
    // Read first, so that the messages and their alarm become durable at once.
    const alarm = await this.ctx.storage.getAlarm();
    const store = () => {
      const now = Date.now();
      return accept(this.#store, submission, this.#hasSettings(isStored, now), now);
    };
    // An outbox without settings accepts nothing, so it needs no entry.
    const result = this.#hasSettings(isStored, Date.now())
      ? await this.#storeUnder(submission.kid, store)
      : store();
    await this.#ensureAlarm(alarm);
    return result.kind === "outbox_full" ? { ...result, roomAt: this.#nextRoomAt(Date.now()) } : result;
  }

  /** @param application only if this one has submitted it; here and below, `undefined` sees the messages of all */
  async get(id: string, application: string | undefined): Promise<MailStatus | undefined> {
    await this.ensureAlarm();
    return this.#statusOf(this.#current(id, application));
  }

  /** Lists messages, the newest first. */
  async list(filter: ListFilter): Promise<MailStatus[]> {
    await this.ensureAlarm();
    this.#store.expire(Date.now());
    return this.#store.list(filter).map((mail) => toStatus(mail, this.#state.pause));
  }

  /** Queues a failed or expired message again. Seals it with the first key, as it outlives older keys now. */
  async retry(id: string, application: string | undefined): Promise<ChangeResult> {
    await this.ensureAlarm();
    if (this.#current(id, application) === undefined) return { kind: "not_found" };
    const content = this.#store.content(id);
    const { settingsKeys } = await loadConfig(this.env);
    const resealed = content === undefined ? "" : await this.#reseal(content, settingsKeys);
    if (resealed instanceof SealingError) {
      return { kind: "unreadable", kid: resealed.kid, reason: resealed.message };
    }
    const [{ kid }] = settingsKeys;
    const result = await this.#storeUnder(kid, (): ChangeResult | undefined => {
      const mail = this.#current(id, application);
      if (mail === undefined) return { kind: "not_found" };
      if (!mayBeRetried(mail)) return { kind: "wrong_state", state: mail.state };
      if (isContentDeleted(mail)) return { kind: "content_deleted" };
      const now = Date.now();
      if (this.#store.retry(mail, { content: resealed, kid }, now)) return undefined;
      return { kind: "full", roomAt: this.#nextRoomAt(now) };
    });
    if (result !== undefined) return result;
    await this.ensureAlarm();
    return this.#changed(id);
  }

  /** Cancels a message that waits, or deletes the content of one that has failed or expired. */
  async delete(id: string, application: string | undefined): Promise<ChangeResult> {
    await this.ensureAlarm();
    const mail = this.#current(id, application);
    if (mail === undefined) return { kind: "not_found" };
    if (mail.state === "queued") this.#store.finish(mail, "canceled", {}, Date.now());
    else if (mayBeRetried(mail)) this.#store.deleteContent(mail);
    else return { kind: "wrong_state", state: mail.state };
    return this.#changed(id);
  }

  /**
   * Takes over settings that were just saved or deleted: KV may show the previous ones for 90 seconds.
   *
   * @param jwe the sealed record; `undefined` after a delete
   * @param at time of the change
   */
  async settingsChanged(jwe: string | undefined, at: number): Promise<void> {
    const now = Date.now();
    const latest = this.#state.latestSettings(now);
    // Two changes may arrive in the wrong order, and one may arrive twice.
    if (latest !== undefined && (latest.at > at || (latest.at === at && latest.jwe === jwe))) return;
    this.#dispatcher.takeSettings({ jwe, at }, now);
    await this.#setAlarm(this.#nextAlarmAt(now));
  }

  /** The settings that were saved or deleted in the last two minutes, if they were. */
  recentSettings(): LatestSettings | undefined {
    return this.#state.latestSettings(Date.now());
  }

  /** Asks whether a login may be tried, and counts it: see {@link LoginLimit.begin}. */
  beginLogin(fingerprints: readonly string[]): LoginPermit {
    return this.#state.logins.begin(fingerprints, Date.now());
  }

  /** Ends a login that counts: see {@link LoginLimit.end}. What waited for it is due. */
  async endLogin(fingerprints: readonly string[], at: number, outcome: LoginOutcome): Promise<void> {
    this.#state.logins.end(fingerprints, at, outcome);
    if (outcome === "succeeded") this.#dispatcher.loginSucceeded(Date.now());
    await this.ensureAlarm();
  }

  /**
   * Maintains the outbox on behalf of the cron trigger: sets an alarm that is lost, and updates the entry in KV.
   *
   * @param hasSettings whether KV lists settings of the tenant
   * @param listed what KV lists of the outbox
   */
  async maintain(hasSettings: boolean, listed: readonly string[] | undefined): Promise<void> {
    await this.ensureAlarm();
    const { settingsKeys } = await loadConfig(this.env);
    const [{ kid: sealing }, ...older] = settingsKeys;
    try {
      await this.#entry.update(listed, (kids) => {
        const { table } = this.#store;
        if (table.isEmpty && !this.#hasSettings(hasSettings, Date.now())) return undefined;
        // It has accepted no message.
        if (table.isEmpty && kids.length === 0) return undefined;
        // Older outboxes have no entry, and may need any key. A key that an entry does not name is not looked for again.
        const mayNeed = older.filter(({ kid }) => kids.length === 0 || kids.includes(kid));
        const needed = mayNeed.filter(({ kid }) => table.needsKey(kid));
        return [sealing, ...needed.map(({ kid }) => kid)];
      });
    } catch (error) {
      log("error", "outbox entry not written", { tenant: this.#tenant, reason: reasonOf(error) });
    }
  }

  /** Sets the alarm if messages wait without one, or if it is overdue. */
  async ensureAlarm(): Promise<void> {
    await this.#ensureAlarm(await this.ctx.storage.getAlarm());
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    // Cloudflare may have ended it early, and then nobody else sets the next one.
    if (this.#isAlarmRunning(now)) return this.#setAlarm((this.#alarmStartedAt ?? now) + ALARM_MAX_MS);
    if (this.#alarmStartedAt !== undefined) this.#dispatcher.abandon();
    this.#alarmStartedAt = now;
    try {
      await this.#dispatcher.run(this.env);
    } finally {
      this.#alarmStartedAt = undefined;
      await this.#setAlarm(this.#nextAlarmAt(Date.now()));
    }
  }

  /** Whether an alarm runs, which sets the next one at its end. Cloudflare ends it after 15 minutes. */
  #isAlarmRunning(now: number): boolean {
    return this.#alarmStartedAt !== undefined && now < this.#alarmStartedAt + ALARM_MAX_MS;
  }

  async #ensureAlarm(alarm: number | null): Promise<void> {
    const now = Date.now();
    if (this.#isAlarmRunning(now)) return this.#dispatcher.wake();
    const at = this.#nextAlarmAt(now);
    if (at !== undefined && !isInTime(alarm, at, now)) await this.#setAlarm(at);
  }

  #nextAlarmAt(now: number): number | undefined {
    const needs = {
      hasNewSettings: this.#dispatcher.hasNewSettings,
      attemptAt: nextAttemptAt(this.#store, this.#state),
      settingsUntil: this.#state.latestSettingsUntil,
      purgeAt: this.#dispatcher.nextPurgeAt(now),
    };
    return nextAlarmAt(needs, now);
  }

  #nextRoomAt(now: number): number {
    return nextRoomAt(this.#store, this.#state, now);
  }

  /** Sets or deletes the alarm. Nothing else does. */
  #setAlarm(at: number | undefined): Promise<void> {
    const { storage } = this.ctx;
    return at === undefined ? storage.deleteAlarm() : storage.setAlarm(at);
  }

  /** Stores something that needs a key, once the entry names the key. */
  async #storeUnder<Result>(kid: string, store: () => Result): Promise<Result | StoreUnavailable> {
    try {
      return await this.#entry.store(kid, store);
    } catch (error) {
      // A value, because RPC keeps no class of an error.
      if (error instanceof KvError) return { kind: "store_unavailable", reason: error.message };
      throw error;
    }
  }

  async #reseal(content: string, keys: SealingKeys): Promise<string | SealingError> {
    try {
      return await sealMail(this.#tenant, await openMail(this.#tenant, content, keys), keys);
    } catch (error) {
      if (error instanceof SealingError) return error;
      throw error;
    }
  }

  /** A message as it is now: expired if its lifetime is over, although no alarm has run. */
  #current(id: string, application: string | undefined): MailRow | undefined {
    this.#store.expireIfOver(id, Date.now());
    return this.#store.get(id, application);
  }

  #changed(id: string): ChangeResult {
    const mail = this.#statusOf(this.#store.get(id));
    return mail === undefined ? { kind: "not_found" } : { kind: "changed", mail };
  }

  #statusOf(mail: MailRow | undefined): MailStatus | undefined {
    return mail && toStatus(mail, this.#state.pause);
  }

  /** @param isStored whether KV shows settings; those that were saved or deleted recently decide instead */
  #hasSettings(isStored: boolean, now: number): boolean {
    const latest = this.#state.latestSettings(now);
    return latest === undefined ? isStored : latest.jwe !== undefined;
  }

  get #tenant(): string {
    return this.ctx.id.name ?? "";
  }
}
