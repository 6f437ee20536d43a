import { DurableObject } from "cloudflare:workers";
import { loadConfig } from "../config.ts";
import { reasonOf } from "../errors.ts";
import { TokenCache } from "../oauth/token-cache.ts";
import type { Settings } from "../settings/schema.ts";
import { openRecord, SettingsStore } from "../settings/store.ts";
import { open, SealingError, type SealingKeys, seal } from "../storage/sealing.ts";
import type { Drain } from "./drain.ts";
import { INTERRUPTED, mayHaveArrived } from "./report.ts";
import { decideDoubtful, pauseForServer, pauseForSettings } from "./retry-policy.ts";
import { type MailStatus, toStatus } from "./status.ts";
import {
  type AcceptResult,
  HANDED_SETTINGS_MS,
  type IdempotencyKey,
  type MailRow,
  type MailState,
  MailStore,
  type NewMail,
} from "./store.ts";

/** An alarm this late has been lost: requests and the cron set it again. */
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
  readonly #tokens = new TokenCache(async (settings) => {
    const [{ requestToken }, { allowPrivateHosts, hostname }] = await Promise.all([
      import("../oauth/token-request.ts"),
      loadConfig(this.env),
    ]);
    return requestToken(settings, { allowPrivateHosts, hostname });
  });
  #drain: Drain | undefined;
  #alarmStartedAt: number | undefined;
  /** Counts the settings handed over, so that an alarm notices a change. */
  #settingsChanges = 0;
  /** Whether mails may be left from an alarm that did not end. */
  #mayHoldInterrupted = true;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#store = new MailStore(state.storage);
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
    const handed = this.#store.handedSettings(now);
    const hasSettings = handed === undefined ? isStored : handed.jwe !== undefined;
    const result = this.#store.accept(mails, idempotency, hasSettings, now);
    await this.#rearm(alarm);
    return result;
  }

  async get(id: string): Promise<MailStatus | undefined> {
    await this.rearm();
    const mail = this.#store.get(id, Date.now());
    return mail === undefined ? undefined : this.#statusOf(mail);
  }

  /** Lists mails, the newest first. */
  async list(filter: Parameters<MailStore["list"]>[0]): Promise<MailStatus[]> {
    await this.rearm();
    return this.#store.list(filter, Date.now()).map((mail) => this.#statusOf(mail));
  }

  /** Queues a failed or expired mail again. Seals it with the first key, as it outlives older keys now. */
  async retry(id: string): Promise<ChangeResult> {
    await this.rearm();
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
    await this.rearm();
    return this.#changed(id);
  }

  /** Cancels a mail that waits. */
  async cancel(id: string): Promise<ChangeResult> {
    await this.rearm();
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
    const handed = this.#store.handedSettings(now);
    // Two changes may arrive in the wrong order.
    if (handed !== undefined && handed.at > at) return;
    this.#settingsChanges++;
    this.#drain?.stop();
    this.#store.handOver({ jwe, at });
    const wakeAt = this.#store.nextDueAt() === undefined ? now : this.#store.countWake(now);
    this.#store.pause =
      wakeAt === now
        ? undefined
        : { waitingFor: "settings", until: wakeAt, failures: 0, failure: this.#store.pause?.failure };
    await this.#schedule(now);
  }

  /** Sets the alarm if mails wait without one, or if it is overdue. */
  async rearm(): Promise<void> {
    await this.#rearm(await this.ctx.storage.getAlarm());
  }

  override async alarm(): Promise<void> {
    if (this.#alarmStartedAt !== undefined) this.#abandonAlarm();
    this.#alarmStartedAt = Date.now();
    try {
      await this.#run();
    } catch (error) {
      console.error(
        JSON.stringify({ message: "outbox failed", tenant: this.#tenant, reason: reasonOf(error) }),
      );
      this.#mayHoldInterrupted = true;
      // Without a pause, a lasting error would run the alarm in an endless loop.
      this.#pause("server");
    } finally {
      this.#alarmStartedAt = undefined;
      await this.#schedule(Date.now());
    }
  }

  /** Cloudflare ended the previous alarm, as it took too long: alarms never overlap. */
  #abandonAlarm(): void {
    this.#drain?.stop();
    this.#store.releaseAll();
    this.#mayHoldInterrupted = true;
  }

  async #run(): Promise<void> {
    const now = Date.now();
    if (this.#mayHoldInterrupted) this.#recoverInterrupted(now);
    this.#store.expire(now);
    this.#store.purge(now);
    if (now < (this.#store.pause?.until ?? 0)) return;
    if ((this.#store.nextDueAt() ?? Number.POSITIVE_INFINITY) > now) return;
    const settingsChanges = this.#settingsChanges;
    const { settingsKeys: keys, hostname, allowPrivateHosts } = await loadConfig(this.env);
    const settings = await this.#settings(keys);
    // Loaded on demand: nodemailer is large, and most calls only accept or report.
    const { Drain } = await import("./drain.ts");
    // Saved meanwhile: the next alarm follows at once, with the new settings.
    if (settingsChanges !== this.#settingsChanges) return;
    if (settings === undefined) return this.#pause("settings");
    const options = { clientName: hostname, allowPrivateHosts };
    this.#drain = new Drain(this.#store, {
      ...{ tenant: this.#tenant, settings, keys, options, tokens: this.#tokens },
    });
    try {
      await this.#drain.run();
    } finally {
      this.#drain = undefined;
    }
  }

  async #settings(keys: SealingKeys): Promise<Settings | undefined> {
    const handed = this.#store.handedSettings(Date.now());
    try {
      if (handed === undefined) {
        return (await new SettingsStore(this.env.SMTP_SETTINGS, keys).read(this.#tenant))?.settings;
      }
      const { jwe } = handed;
      return jwe === undefined ? undefined : (await openRecord(this.#tenant, jwe, keys)).settings;
    } catch (error) {
      if (!(error instanceof SealingError)) throw error;
      const { kid, message: reason } = error;
      console.error(JSON.stringify({ message: "settings unreadable", tenant: this.#tenant, kid, reason }));
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
      const { id, attempts, doubts, expires_at } = mail;
      const decision = decideDoubtful({ attempts, doubts, expiresAt: expires_at }, now);
      if (decision.action === "retry") {
        this.#store.requeue(
          id,
          { at: decision.at, attempts, doubts: decision.doubts, failure: INTERRUPTED },
          now,
        );
      } else {
        this.#store.finish(mail, "failed", { failure: mayHaveArrived(INTERRUPTED) }, now);
      }
      const state = decision.action === "retry" ? "queued" : "failed";
      const entry = { message: "delivery", tenant: this.#tenant, id, attempt: attempts, state };
      console.warn(JSON.stringify({ ...entry, stage: "message", failure: "interrupted" }));
    }
    this.#mayHoldInterrupted = false;
  }

  #pause(waitingFor: "server" | "settings"): void {
    const now = Date.now();
    const decision =
      waitingFor === "server" ? pauseForServer(this.#store.pause?.failures ?? 0, now) : pauseForSettings(now);
    const { until, failures } = decision;
    this.#store.pause = { waitingFor, until, failures, failure: undefined };
    const seconds = Math.round((until - now) / 1000);
    console.warn(
      JSON.stringify({ message: "outbox paused", tenant: this.#tenant, waitingFor, seconds, failures }),
    );
  }

  async #rearm(alarm: number | null): Promise<void> {
    const now = Date.now();
    // A running alarm sets the next one at its end.
    if (this.#alarmStartedAt !== undefined && now < this.#alarmStartedAt + ALARM_MAX_MS) {
      return this.#drain?.wake();
    }
    const wanted = this.#nextAlarmAt(now);
    if (wanted === undefined) return;
    if (alarm === null || alarm > wanted || alarm < now - ALARM_OVERDUE_MS) {
      await this.ctx.storage.setAlarm(Math.max(wanted, now));
    }
  }

  #nextAlarmAt(now: number): number | undefined {
    const dueAt = this.#store.nextDueAt();
    const handed = this.#store.handedSettings(now);
    const times = [
      dueAt === undefined ? undefined : Math.max(dueAt, this.#store.pause?.until ?? 0),
      handed === undefined ? undefined : handed.at + HANDED_SETTINGS_MS,
      this.#store.nextPurgeAt(now),
    ].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  async #schedule(now: number): Promise<void> {
    const at = this.#nextAlarmAt(now);
    if (at !== undefined) await this.ctx.storage.setAlarm(Math.max(at, now));
    else await this.#store.deleteAll();
  }

  #changed(id: string): ChangeResult {
    const mail = this.#store.get(id, Date.now());
    return mail === undefined ? { kind: "not_found" } : { kind: "changed", mail: this.#statusOf(mail) };
  }

  #statusOf(mail: MailRow): MailStatus {
    return toStatus(mail, this.#store.pause);
  }

  get #tenant(): string {
    return this.ctx.id.name ?? "";
  }
}
