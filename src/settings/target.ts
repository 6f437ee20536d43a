import { ApiError, type FieldError, reasonOf } from "../errors.ts";
import type { Settings } from "./schema.ts";

/** Where settings take effect before they are stored. */
export interface SettingsTarget {
  /** The fields that the target cannot use. */
  problems(settings: Settings): FieldError[];
  /**
   * Replaces the target's settings; `undefined` clears them.
   *
   * @throws {ApiError}
   */
  apply(settings: Settings | undefined): Promise<void>;
}

/**
 * Applies settings to a target, if there is one, and then stores them.
 *
 * @throws {ApiError} of the target, in which case nothing is stored; `applied_but_not_stored`
 */
export async function applyAndStore<Outcome>(
  target: SettingsTarget | undefined,
  settings: Settings | undefined,
  store: () => Promise<Outcome>,
): Promise<Outcome> {
  if (target === undefined) return store();
  await target.apply(settings);
  try {
    return await store();
  } catch (error) {
    throw new ApiError("applied_but_not_stored", { reason: reasonOf(error) });
  }
}
