import { loadConfig } from "../config.ts";
import { hostLookup } from "../dns/host-lookup.ts";
import { reasonOf } from "../errors.ts";
import { log } from "../log.ts";
import { TokenCache } from "../oauth/token-cache.ts";
import type { Settings } from "../settings/schema.ts";
import { openRecord, SettingsStore } from "../settings/store.ts";
import { SealingError, type SealingKeys } from "../storage/sealing.ts";
import type { DeliveryRun } from "./delivery-run.ts";
import { loginFingerprints } from "./login-fingerprint.ts";
import { toAttempted } from "./mail-row.ts";
import type { MailStore } from "./mail-store.ts";
import { nextAttemptAt } from "./next-attempt.ts";
import type { LatestSettings, OutboxState } from "./outbox-state.ts";
import { nextTryAt, ownFailure, pauseAfter } from "./pause.ts";
import { type FailureReport, INTERRUPTED, NO_SETTINGS, OUTBOX_FAILED } from "./report.ts";
import { Retention } from "./retention.ts";
import { decideUnknown } from "./retry-policy.ts";

/**
 * Does what the alarm of an outbox is for: expires, purges, and sends what is due, in one delivery run at a time,
 * with the tenant's latest settings.
 */
export class Dispatcher {
  readonly #tenant: string;
  readonly #store: MailStore;
  readonly #state: OutboxState;
  readonly #retention: Retention;
  #tokens: TokenCache | undefined;
  #deliveryRun: DeliveryRun | undefined;
  /** Counts the changes of the settings, so that a run about to start notices one. */
  #settingsChanges = 0;
  #hasNewSettings = false;
  /** Whether messages may be left from a run that did not end. */
  #mayHoldInterrupted = true;

  constructor(tenant: string, store: MailStore, state: OutboxState) {
    this.#tenant = tenant;
    this.#store = store;
    this.#state = state;
    this.#retention = new Retention(store.table);
  }

  /** Whether settings have arrived that no run has looked at: they may make messages due. */
  get hasNewSettings(): boolean {
    return this.#hasNewSettings;
  }

  /** When records are purged next, if there are any. */
  nextPurgeAt(now: number): number | undefined {
    return this.#retention.nextPurgeAt(now);
  }

  /** Wakes the delivery run, if there is one: messages may be due. */
  wake(): void {
    this.#deliveryRun?.wake();
  }

  /** Takes over settings that were just saved or deleted: what waits is tried with them. */
  takeSettings(latest: LatestSettings, now: number): void {
    this.#settingsChanges++;
    this.#deliveryRun?.stop();
    this.#state.keepLatestSettings(latest);
    if (latest.jwe === undefined) this.#state.forgetEvidence();
    // What expires now has waited for the pause that ends.
    this.#store.expire(now);
    this.#state.pause = undefined;
    this.#store.restart(now, { includesUnknown: false });
    this.#hasNewSettings = latest.jwe !== undefined && this.#store.nextDueAt() !== undefined;
  }

  /** Ends a pause that waits for a login with settings that have logged in before: some have now. */
  loginSucceeded(now: number): void {
    if (this.#state.pause?.kind === "login_limit") this.#endPause(now);
  }

  /** Logs an error, and pauses the outbox. */
  async run(env: Env): Promise<void> {
    try {
      await this.#run(env);
    } catch (error) {
      log("error", "outbox failed", { tenant: this.#tenant, reason: reasonOf(error) });
      this.#mayHoldInterrupted = true;
      // Without a pause, a lasting error would run the alarm in an endless loop.
      this.#pause("delivery", OUTBOX_FAILED);
    }
  }

  /** Gives up a run that Cloudflare has ended, as it took too long. */
  abandon(): void {
    this.#deliveryRun?.stop();
    this.#store.releaseAll();
    this.#mayHoldInterrupted = true;
  }

  async #run(env: Env): Promise<void> {
    const now = Date.now();
    const hasNewSettings = this.#hasNewSettings;
    // First of all, as the settings dropped below: a run that fails with one of them left would repeat at once, without
    // end.
    this.#hasNewSettings = false;
    this.#state.dropLatestSettings(now);
    if (this.#mayHoldInterrupted) this.#recoverInterrupted(now);
    this.#store.expire(now);
    this.#retention.purge(now);
    const isDue = (nextAttemptAt(this.#store, this.#state) ?? Number.POSITIVE_INFINITY) <= now;
    if (!isDue && !hasNewSettings) return;
    const settingsChanges = this.#settingsChanges;
    const { settingsKeys: keys, hostname, allowPrivateHosts, dohUrl } = await loadConfig(env);
    const settings = await this.#settings(env, keys);
    // Loaded on demand: nodemailer is large, and most calls only accept or report.
    const { DeliveryRun } = await import("./delivery-run.ts");
    const fingerprints = settings === undefined ? [] : await loginFingerprints(settings, keys);
    // Saved meanwhile: the next alarm follows at once, with the new settings.
    if (settingsChanges !== this.#settingsChanges) return;
    if (settings === undefined) return this.#pause("settings", NO_SETTINGS);
    this.#useSettings(fingerprints, now);
    this.#tokens ??= newTokenCache(env);
    this.#deliveryRun = new DeliveryRun(this.#store, this.#state, {
      tenant: this.#tenant,
      settings,
      fingerprints,
      keys,
      options: { clientName: hostname, allowPrivateHosts, hostExists: hostLookup(dohUrl) },
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
    // What worked before logins were limited.
    if (this.#state.evidence.loggedInAt !== undefined) this.#state.logins.prove(fingerprints);
    if (this.#state.pause?.kind === "settings") this.#endPause(now);
  }

  #endPause(now: number): void {
    this.#store.expire(now);
    this.#state.pause = undefined;
    this.#store.endWait(now, { showsAcceptance: false });
  }

  async #settings(env: Env, keys: SealingKeys): Promise<Settings | undefined> {
    const latest = this.#state.latestSettings(Date.now());
    try {
      if (latest === undefined) {
        return (await new SettingsStore(env.SMTP_SETTINGS, keys).read(this.#tenant))?.settings;
      }
      const { jwe } = latest;
      return jwe === undefined ? undefined : (await openRecord(this.#tenant, jwe, keys)).settings;
    } catch (error) {
      if (!(error instanceof SealingError)) throw error;
      const { kid, message: reason } = error;
      log("error", "settings unreadable", { tenant: this.#tenant, kid, reason });
      return undefined;
    }
  }

  /** Messages that the previous instance was sending when it stopped may have arrived. */
  #recoverInterrupted(now: number): void {
    for (const mail of this.#store.interrupted()) {
      const { id, attempts } = mail;
      const message = toAttempted({ ...mail, attempts: attempts - 1 });
      const state = this.#store.settle(
        mail,
        decideUnknown(message, this.#state.moment(now)),
        INTERRUPTED,
        now,
      );
      log("warn", "delivery", {
        tenant: this.#tenant,
        id,
        attempt: attempts,
        state,
        stage: "message",
        failure: "interrupted",
      });
    }
    this.#mayHoldInterrupted = false;
  }

  /** Pauses for a reason that no SMTP server has given. */
  #pause(kind: "delivery" | "settings", failure: FailureReport): void {
    const now = Date.now();
    const pause = pauseAfter(this.#state.pause, ownFailure(kind, failure, now), now);
    this.#state.pause = pause;
    const seconds = Math.round((nextTryAt(pause, this.#store.waiting(pause).urgent) - now) / 1000);
    const { waitingFor, tries } = pause;
    log("warn", "outbox paused", { tenant: this.#tenant, kind, waitingFor, seconds, failures: tries + 1 });
  }
}

function newTokenCache(env: Env): TokenCache {
  return new TokenCache(async (settings) => {
    const [{ requestToken }, { allowPrivateHosts, hostname }] = await Promise.all([
      import("../oauth/token-request.ts"),
      loadConfig(env),
    ]);
    return requestToken(settings, { allowPrivateHosts, hostname });
  });
}
