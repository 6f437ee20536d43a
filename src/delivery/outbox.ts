import { DurableObject } from "cloudflare:workers";
import { loadConfig } from "../config.ts";
import { reasonOf } from "../errors.ts";
import { TokenCache } from "../oauth/token-cache.ts";
import type { Settings } from "../settings/schema.ts";
import { openRecord, SettingsStore } from "../settings/store.ts";
import { open, SealingError, seal } from "../storage/sealing.ts";
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

/** The answer to a request that changes one mail. */
export type ChangeResult = { ok: true; mail: MailStatus } | { ok: false; state: MailState | undefined };

/**
 * The outbox of one tenant: accepts mails, and sends them from its alarm. One object per tenant means that
 * neither a flood nor a dead server of another tenant delays it.
 *
 * @see https://developers.cloudflare.com/durable-objects/api/alarms/
 */
export class Outbox extends DurableObject<Env> {
  readonly #store: MailStore;
  /** Mails that a drain is sending. */
  readonly #claimed = new Set<string>();
  /** Loaded on demand, as most calls only accept or report. */
  readonly #tokens = new TokenCache(async (settings) => {
    const [{ requestToken }, { allowPrivateHosts }] = await Promise.all([
      import("../oauth/token-request.ts"),
      loadConfig(this.env),
    ]);
    return requestToken(settings, { allowPrivateHosts });
  });
  #isDraining = false;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#store = new MailStore(state.storage);
  }

  /**
   * Accepts mails, all or none. They are durable when this returns.
   *
   * @param hasSettings whether KV shows settings; settings handed over recently decide instead
   */
  async accept(
    mails: readonly NewMail[],
    idempotency: IdempotencyKey | undefined,
    hasSettings: boolean,
  ): Promise<AcceptResult | { kind: "nothing_stored" }> {
    const now = Date.now();
    const handed = this.#store.handedSettings(now);
    if (handed === undefined ? !hasSettings : handed.jwe === undefined) return { kind: "nothing_stored" };
    const result = this.#store.accept(mails, idempotency, now);
    await this.rearm();
    return result;
  }

  async get(id: string): Promise<MailStatus | undefined> {
    this.#store.expire(Date.now(), this.#claimed);
    await this.rearm();
    const row = this.#store.get(id);
    return row === undefined ? undefined : this.#statusOf(row);
  }

  /** Lists mails, the newest first. */
  async list(filter: Parameters<MailStore["list"]>[0]): Promise<MailStatus[]> {
    this.#store.expire(Date.now(), this.#claimed);
    await this.rearm();
    return this.#store.list(filter).map((row) => this.#statusOf(row));
  }

  /** Queues a failed or expired mail again. Seals it with the first key, as it outlives older keys now. */
  async retry(id: string): Promise<ChangeResult> {
    this.#store.expire(Date.now(), this.#claimed);
    const content = this.#store.content(id);
    const { settingsKeys } = await loadConfig(this.env);
    let resealed = "";
    if (content !== undefined) {
      const { claims } = await open<{ mail: unknown }>(this.#tenant, content, settingsKeys);
      resealed = (await seal(this.#tenant, { mail: claims.mail }, settingsKeys)).jwe;
    }
    const row = this.#store.get(id);
    if (row === undefined || (row.state !== "failed" && row.state !== "expired")) {
      return { ok: false, state: row?.state };
    }
    this.#store.retry(row, resealed, Date.now());
    await this.rearm();
    return this.#changed(id);
  }

  /** Cancels a mail that waits. */
  async cancel(id: string): Promise<ChangeResult> {
    this.#store.expire(Date.now(), this.#claimed);
    const row = this.#store.get(id);
    if (row === undefined) return { ok: false, state: undefined };
    const { state } = this.#statusOf(row);
    if (state !== "queued") return { ok: false, state };
    this.#store.finish(id, "canceled", {}, Date.now());
    return this.#changed(id);
  }

  /**
   * Takes over settings that were just saved or deleted: KV may show the previous ones for 90 seconds.
   *
   * @param jwe the sealed record; `undefined` after a delete
   */
  async settingsChanged(jwe: string | undefined): Promise<void> {
    const now = Date.now();
    this.#store.handOver({ jwe, at: now });
    this.#store.pause = undefined;
    await this.#schedule(now);
  }

  /** Sets the alarm if mails wait without one, or if it is overdue. */
  async rearm(): Promise<void> {
    if (this.#isDraining) return;
    const now = Date.now();
    const wanted = this.#nextAlarmAt(now);
    if (wanted === undefined) return;
    const alarm = await this.ctx.storage.getAlarm();
    if (alarm === null || alarm > wanted || alarm < now - ALARM_OVERDUE_MS) {
      await this.ctx.storage.setAlarm(Math.max(wanted, now));
    }
  }

  override async alarm(): Promise<void> {
    this.#isDraining = true;
    try {
      await this.#drain();
    } catch (error) {
      const tenant = this.#tenant;
      console.error(JSON.stringify({ message: "outbox failed", tenant, reason: reasonOf(error) }));
      // Without a pause, a lasting error would run the alarm in an endless loop.
      this.#pause("server");
    } finally {
      this.#isDraining = false;
      await this.#schedule(Date.now());
    }
  }

  async #drain(): Promise<void> {
    const now = Date.now();
    this.#recoverInterrupted(now);
    this.#store.expire(now, this.#claimed);
    this.#store.purge(now);
    const pause = this.#store.pause;
    if (pause !== undefined && now < pause.until) return;
    if ((this.#store.nextDueAt() ?? Number.POSITIVE_INFINITY) > now) return;
    const { settingsKeys: keys, hostname, allowPrivateHosts } = await loadConfig(this.env);
    const settings = await this.#settings();
    if (settings === undefined) return this.#pause("settings");
    // Loaded on demand: nodemailer is large, and most calls only accept or report.
    const { Drain } = await import("./drain.ts");
    const options = { clientName: hostname, allowPrivateHosts };
    await new Drain(this.#store, this.#claimed, {
      tenant: this.#tenant,
      settings,
      keys,
      options,
      tokens: this.#tokens,
    }).run();
  }

  async #settings(): Promise<Settings | undefined> {
    const { settingsKeys } = await loadConfig(this.env);
    const handed = this.#store.handedSettings(Date.now());
    try {
      if (handed !== undefined) {
        const { jwe } = handed;
        return jwe === undefined ? undefined : (await openRecord(this.#tenant, jwe, settingsKeys)).settings;
      }
      const record = await new SettingsStore(this.env.SMTP_SETTINGS, settingsKeys).read(this.#tenant);
      return record?.settings;
    } catch (error) {
      if (!(error instanceof SealingError)) throw error;
      const tenant = this.#tenant;
      console.error(
        JSON.stringify({ message: "settings unreadable", tenant, kid: error.kid, reason: error.message }),
      );
      return undefined;
    }
  }

  /** Mails that the previous instance was sending when it stopped may have arrived. */
  #recoverInterrupted(now: number): void {
    for (const { id, attempts, doubts, expires_at } of this.#store.interrupted()) {
      const decision = decideDoubtful({ attempts, doubts, expiresAt: expires_at }, now);
      console.info(
        JSON.stringify({
          message: "delivery",
          tenant: this.#tenant,
          id,
          state: "interrupted",
          attempt: attempts,
        }),
      );
      if (decision.action === "retry") {
        const { at, doubts } = decision;
        this.#store.requeue(id, { at, attempts, doubts, failure: INTERRUPTED }, now);
      } else {
        this.#store.finish(id, "failed", { failure: mayHaveArrived(INTERRUPTED) }, now);
      }
    }
  }

  #pause(waitingFor: "server" | "settings"): void {
    const now = Date.now();
    const failures = this.#store.pause?.failures ?? 0;
    const { until, failures: next } =
      waitingFor === "server" ? pauseForServer(failures, now) : pauseForSettings(now);
    this.#store.pause = { waitingFor, until, failures: next, failure: undefined };
  }

  #nextAlarmAt(now: number): number | undefined {
    const dueAt = this.#store.nextDueAt();
    const handed = this.#store.handedSettings(now);
    const times = [
      dueAt === undefined ? undefined : Math.max(dueAt, this.#store.pause?.until ?? 0),
      handed === undefined ? undefined : handed.at + HANDED_SETTINGS_MS,
      this.#store.nextPurgeAt(),
    ].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  async #schedule(now: number): Promise<void> {
    const at = this.#nextAlarmAt(now);
    if (at !== undefined) await this.ctx.storage.setAlarm(Math.max(at, now));
    else if (this.#store.isEmpty) await this.#store.deleteAll();
  }

  #changed(id: string): ChangeResult {
    const row = this.#store.get(id);
    return row === undefined ? { ok: false, state: undefined } : { ok: true, mail: this.#statusOf(row) };
  }

  #statusOf(row: MailRow): MailStatus {
    return toStatus(row, this.#store.pause, this.#claimed.has(row.id));
  }

  get #tenant(): string {
    return this.ctx.id.name ?? "";
  }
}
