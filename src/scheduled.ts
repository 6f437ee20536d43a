import { rearmOutboxes } from "./delivery/client.ts";
import { runRotation } from "./key-rotation/scheduled.ts";

/** Runs the cron trigger: rotates keys, then sets lost alarms with the operations that are left. */
export async function runScheduled(env: Env, now: Date): Promise<void> {
  const { tenants, operationsLeft } = await runRotation(env, now);
  await rearmOutboxes(env, tenants, operationsLeft, now);
}
