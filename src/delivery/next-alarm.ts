import { earliest } from "./pause.ts";

/** An alarm this overdue is presumed lost: requests and the cron set it again. */
const ALARM_OVERDUE_MS = 60_000;

/** What an outbox needs its alarm for, and when. */
interface AlarmNeeds {
  /** New settings, which may make messages due. */
  hasNewSettings: boolean;
  attemptAt: number | undefined;
  /** When settings may be dropped that were saved recently. */
  settingsUntil: number | undefined;
  purgeAt: number | undefined;
}

/** When an outbox needs its alarm; `undefined` if it has nothing to do. */
export function nextAlarmAt(
  { hasNewSettings, attemptAt, settingsUntil, purgeAt }: AlarmNeeds,
  now: number,
): number | undefined {
  const at = earliest([hasNewSettings ? now : undefined, attemptAt, settingsUntil, purgeAt]);
  return at === undefined ? undefined : Math.max(at, now);
}

/** Whether an alarm will run by the time it is needed. Each change of it costs a row. */
export function isInTime(alarm: number | null, neededAt: number, now: number): boolean {
  return alarm !== null && alarm <= neededAt && alarm >= now - ALARM_OVERDUE_MS;
}
