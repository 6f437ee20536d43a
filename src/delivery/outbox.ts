import { DurableObject } from "cloudflare:workers";
import { loadConfig } from "../config.ts";
import { hostLookup } from "../dns/host-lookup.ts";
import { reasonOf } from "../errors.ts";
import { log } from "../log.ts";
import { TokenCache } from "../oauth/token-cache.ts";
import type { Settings } from "../settings/schema.ts";
import { openRecord, SettingsStore } from "../settings/store.ts";
import { mayHaveArrived } from "../smtp/diagnosis.ts";
import { open, SealingError, type SealingKeys, seal } from "../storage/sealing.ts";
import type { DeliveryRun } from "./delivery-run.ts";
import { loginFingerprints } from "./login-fingerprint.ts";
import { type MailRow, type MailState, trialsOf } from "./mail-row.ts";
import { type AcceptResult, type IdempotencyKey, MailStore, type NewMail } from "./mail-store.ts";
import { nextAttemptAt } from "./next-attempt.ts";
import { HANDED_SETTINGS_MS, OutboxState } from "./outbox-state.ts";
import { type FailedTry, nextTryAt, type Pause, pauseAfter } from "./pause.ts";
import { type FailureReport, INTERRUPTED, NO_SETTINGS, OUTBOX_FAILED, TOO_MANY_SAVES } from "./report.ts";
import { decideUnknown } from "./retry-policy.ts";
import { type MailStatus, reasonOfExpiry, toStatus } from "./status.ts";

/** An alarm this overdue is presumed lost: requests and the cron set it again. */
const ALARM_OVERDUE_MS = 60_000;

/** Longest run of an alarm, by Cloudflare's limits. */
const ALARM_MAX_MS = 15 * 60_000;

/** The result of a request that changes one mail. */
export type ChangeResult =
  | { kind: "changed"; mail: MailStatus }
  | { kind: "not_found" }
  | { kind: "wrong_state"; state: MailState }
  | { kind: "full" }
  | { kind: "unreadable"; kid: string | undefined; reason: string };

/**
 * The outbox of one tenant: accepts mails, and sends them from its alarm. One object per tenant means that
 * neither a flood nor a dead server of another tenant delays it.
 *
 * @see https://developers.cloudflare.com/durable-objects/api/alarms/
 */
export class Outbox extends DurableObject<Env> {
  readonly #store: MailStore;
  readonly #state: OutboxState;
  readonly #tokens = new TokenCache(async (settings) => {
    const [{ requestToken }, { allowPrivateHosts, hostname }] = await Promise.all([
      import("../oauth/token-request.ts"),
      loadConfig(this.env),
    ]);
    return requestToken(settings, { allowPrivateHosts, hostname });
  });
  #deliveryRun: DeliveryRun | undefined;
  #alarmStartedAt: number | undefined;
  /** Counts the settings handed over, so that an alarm notices a change. */
  #settingsChanges = 0;
  /** Whether settings have arrived that no alarm has looked at: they may make messages due. */
  #hasNewSettings = false;
  /** Whether mails may be left from an alarm that did not end. */
  #mayHoldInterrupted = true;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#state = new OutboxState(state.storage.kv);
    this.#store = new MailStore(state.storage, (mail) => reasonOfExpiry(mail, this.#state.pause));
  }

  /**
   * Accepts mails, all or none. They are durable when this returns.
   *
   * @param isStored whether KV shows settings; settings handed over recently decide instead
   */
  async accept(
    mails: readonly NewMail[],
    idempotency: IdempotencyKey | undefined,
    isStored: boolean,
  ): Promise<AcceptResult> {
    // Read first, so that the mails and their alarm become durable at once.
    const alarm = await this.ctx.storage.getAlarm();
    const now = Date.now();
    const handed = this.#state.handedSettings(now);
    const hasSettings = handed === undefined ? isStored : handed.jwe !== undefined;
    const result = this.#store.accept(mails, idempotency, hasSettings, now);
    await this.#ensureAlarm(alarm);
    return result;
  }

  async get(id: string): Promise<MailStatus | undefined> {
    await this.ensureAlarm();
    const mail = this.#store.get(id, Date.now());
    return mail === undefined ? undefined : this.#statusOf(mail);
  }

  /** Lists mails, the newest first. */
  async list(filter: Parameters<MailStore["list"]>[0]): Promise<MailStatus[]> {
    await this.ensureAlarm();
    return this.#store.list(filter, Date.now()).map((mail) => this.#statusOf(mail));
  }

  /** Queues a failed or expired mail again. Seals it with the first key, as it outlives older keys now. */
  async retry(id: string): Promise<ChangeResult> {
    await this.ensureAlarm();
    const content = this.#store.content(id);
    const resealed = content === undefined ? "" : await this.#reseal(content);
    if (resealed instanceof SealingError) {
      return { kind: "unreadable", kid: resealed.kid, reason: resealed.message };
    }
    const now = Date.now();
    const mail = this.#store.get(id, now);
    if (mail === undefined) return { kind: "not_found" };
    const { state } = mail;
    if (state !== "failed" && state !== "expired") return { kind: "wrong_state", state };
    if (!this.#store.retry(mail, resealed, now)) return { kind: "full" };
    await this.ensureAlarm();
    return this.#changed(id);
  }

  /** Cancels a mail that waits. */
  async cancel(id: string): Promise<ChangeResult> {
    await this.ensureAlarm();
    const now = Date.now();
    const mail = this.#store.get(id, now);
    if (mail === undefined) return { kind: "not_found" };
    if (mail.state !== "queued") return { kind: "wrong_state", state: mail.state };
    this.#store.finish(mail, "canceled", {}, now);
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
    const handed = this.#state.handedSettings(now);
    // Two changes may arrive in the wrong order.
    if (handed !== undefined && handed.at > at) return;
    this.#settingsChanges++;
    this.#deliveryRun?.stop();
    this.#state.handOver({ jwe, at });
    if (jwe === undefined) this.#state.forgetEvidence();
    // What expires now has waited for the pause that ends.
    this.#store.expire(now);
    const lastWakeAt = this.#store.nextDueAt() === undefined ? undefined : this.#state.countWake(now);
    this.#state.pause = lastWakeAt === undefined ? undefined : pauseForSaves(lastWakeAt, now);
    this.#store.restart(now, { includesUnknown: false });
    this.#hasNewSettings =
      jwe !== undefined && lastWakeAt === undefined && this.#store.nextDueAt() !== undefined;
    await this.#schedule(now);
  }

  /** Sets the alarm if mails wait without one, or if it is overdue. */
  async ensureAlarm(): Promise<void> {
    await this.#ensureAlarm(await this.ctx.storage.getAlarm());
  }

  override async alarm(): Promise<void> {
    // Cloudflare may have ended it early, and then nobody else sets the next one.
    if (this.#isAlarmRunning(Date.now())) {
      return this.ctx.storage.setAlarm((this.#alarmStartedAt ?? Date.now()) + ALARM_MAX_MS);
    }
    if (this.#alarmStartedAt !== undefined) this.#abandonAlarm();
    this.#alarmStartedAt = Date.now();
    try {
      await this.#run();
    } catch (error) {
      log("error", "outbox failed", { tenant: this.#tenant, reason: reasonOf(error) });
      this.#mayHoldInterrupted = true;
      // Without a pause, a lasting error would run the alarm in an endless loop.
      this.#pause("delivery", OUTBOX_FAILED);
    } finally {
      this.#alarmStartedAt = undefined;
      await this.#schedule(Date.now());
    }
  }

  /** Whether an alarm runs, which sets the next one at its end. Cloudflare ends it after 15 minutes. */
  #isAlarmRunning(now: number): boolean {
    return this.#alarmStartedAt !== undefined && now < this.#alarmStartedAt + ALARM_MAX_MS;
  }

  /** Cloudflare ended the previous alarm, as it took too long. */
  #abandonAlarm(): void {
    this.#deliveryRun?.stop();
    this.#store.releaseAll();
    this.#mayHoldInterrupted = true;
  }

  async #run(): Promise<void> {
    const now = Date.now();
    const hasNewSettings = this.#hasNewSettings;
    // First of all: an alarm that fails with it still set would repeat at once, without end.
    this.#hasNewSettings = false;
    if (this.#mayHoldInterrupted) this.#recoverInterrupted(now);
    this.#store.expire(now);
    this.#store.purge(now);
    const isDue = (nextAttemptAt(this.#store, this.#state) ?? Number.POSITIVE_INFINITY) <= now;
    if (!isDue && !hasNewSettings) return;
    const settingsChanges = this.#settingsChanges;
    const { settingsKeys: keys, hostname, allowPrivateHosts, dohUrl } = await loadConfig(this.env);
    const settings = await this.#settings(keys);
    // Loaded on demand: nodemailer is large, and most calls only accept or report.
    const { DeliveryRun } = await import("./delivery-run.ts");
    const fingerprints = settings === undefined ? [] : await loginFingerprints(settings, keys);
    // Saved meanwhile: the next alarm follows at once, with the new settings.
    if (settingsChanges !== this.#settingsChanges) return;
    if (settings === undefined) return this.#pause("settings", NO_SETTINGS);
    this.#useSettings(fingerprints, now);
    const options = { clientName: hostname, allowPrivateHosts, hostExists: hostLookup(dohUrl) };
    this.#deliveryRun = new DeliveryRun(this.#store, this.#state, {
      tenant: this.#tenant,
      settings,
      keys,
      options,
      tokens: this.#tokens,
    });
    try {
      await this.#deliveryRun.run();
    } finally {
      this.#deliveryRun = undefined;
      this.#state.storeEvidence(this.#store.nextDueAt() !== undefined);
    }
  }

  /** Settings are there: what waited for them is due. */
  #useSettings(fingerprints: readonly string[], now: number): void {
    if (this.#state.useSettings(fingerprints)) this.#store.restart(now, { includesUnknown: true });
    const kind = this.#state.pause?.kind;
    if (kind !== "settings" && kind !== "saves") return;
    this.#store.expire(now);
    this.#state.pause = undefined;
    this.#store.endWait(now, { showsAcceptance: false });
  }

  async #settings(keys: SealingKeys): Promise<Settings | undefined> {
    const handed = this.#state.handedSettings(Date.now());
    try {
      if (handed === undefined) {
        return (await new SettingsStore(this.env.SMTP_SETTINGS, keys).read(this.#tenant))?.settings;
      }
      const { jwe } = handed;
      return jwe === undefined ? undefined : (await openRecord(this.#tenant, jwe, keys)).settings;
    } catch (error) {
      if (!(error instanceof SealingError)) throw error;
      const { kid, message: reason } = error;
      log("error", "settings unreadable", { tenant: this.#tenant, kid, reason });
      return undefined;
    }
  }

  async #reseal(content: string): Promise<string | SealingError> {
    const { settingsKeys } = await loadConfig(this.env);
    try {
      const { claims } = await open<{ mail: unknown }>(this.#tenant, content, settingsKeys);
      return (await seal(this.#tenant, { mail: claims.mail }, settingsKeys)).jwe;
    } catch (error) {
      if (error instanceof SealingError) return error;
      throw error;
    }
  }

  /** Mails that the previous instance was sending when it stopped may have arrived. */
  #recoverInterrupted(now: number): void {
    for (const mail of this.#store.interrupted()) {
      const { id, expires_at, lifetime_ms } = mail;
      const trials = { ...trialsOf(mail), attempts: mail.attempts - 1 };
      const message = { trials, expiresAt: expires_at, lifetimeMs: lifetime_ms };
      const acceptedAt = this.#state.evidence.messageAcceptedAt;
      const decision = decideUnknown(message, { now, tick: this.#state.tick(now), acceptedAt });
      if (decision.action === "retry") {
        this.#store.requeue(id, { at: decision.at, trials: decision.trials, failure: INTERRUPTED }, now);
      } else {
        const failure = mayHaveArrived(INTERRUPTED);
        this.#store.finish(mail, "failed", { attempts: mail.attempts, failure }, now);
      }
      log("warn", "delivery", {
        tenant: this.#tenant,
        id,
        attempt: mail.attempts,
        state: decision.action === "retry" ? "queued" : "failed",
        stage: "message",
        failure: "interrupted",
      });
    }
    this.#mayHoldInterrupted = false;
  }

  /** Pauses for a reason that no SMTP server has given. */
  #pause(kind: "delivery" | "settings", failure: FailureReport): void {
    const now = Date.now();
    const waitingFor = kind === "settings" ? "settings" : "server";
    const failed: FailedTry = {
      kind,
      waitingFor,
      failure,
      loginWorked: false,
      isOfSession: true,
      isOwn: true,
      startedAt: now,
    };
    const pause = pauseAfter(this.#state.pause, failed, now);
    this.#state.pause = pause;
    const seconds = Math.round((nextTryAt(pause, this.#store.waiting(pause).urgent) - now) / 1000);
    const failures = pause.tries + 1;
    log("warn", "outbox paused", { tenant: this.#tenant, kind, waitingFor, seconds, failures });
  }

  async #ensureAlarm(alarm: number | null): Promise<void> {
    const now = Date.now();
    if (this.#isAlarmRunning(now)) return this.#deliveryRun?.wake();
    const wanted = this.#nextAlarmAt(now);
    if (wanted === undefined) return;
    if (alarm === null || alarm > wanted || alarm < now - ALARM_OVERDUE_MS) {
      await this.ctx.storage.setAlarm(Math.max(wanted, now));
    }
  }

  #nextAlarmAt(now: number): number | undefined {
    const handed = this.#state.handedSettings(now);
    const times = [
      this.#hasNewSettings ? now : undefined,
      nextAttemptAt(this.#store, this.#state),
      handed === undefined ? undefined : handed.at + HANDED_SETTINGS_MS,
      this.#store.nextPurgeAt(now),
    ].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  async #schedule(now: number): Promise<void> {
    const at = this.#nextAlarmAt(now);
    if (at !== undefined) await this.ctx.storage.setAlarm(Math.max(at, now));
    else await this.ctx.storage.deleteAlarm();
  }

  #changed(id: string): ChangeResult {
    const mail = this.#store.get(id, Date.now());
    return mail === undefined ? { kind: "not_found" } : { kind: "changed", mail: this.#statusOf(mail) };
  }

  #statusOf(mail: MailRow): MailStatus {
    return toStatus(mail, this.#state.pause);
  }

  get #tenant(): string {
    return this.ctx.id.name ?? "";
  }
}

/** The pause after too many saves: until the oldest one is a minute old. */
function pauseForSaves(oldestAt: number, now: number): Pause {
  return {
    kind: "saves",
    waitingFor: "settings",
    since: now,
    triedAt: oldestAt,
    lastTryAt: now,
    tries: 0,
    loginWorked: false,
    isOfSession: true,
    failure: TOO_MANY_SAVES,
  };
}
