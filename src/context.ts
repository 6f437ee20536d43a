import type { Caller } from "./auth/caller.ts";
import type { Config } from "./config.ts";

/** How a request names its tenant: SSMS by the host's first label, SHIFT by the path. */
export const FAMILIES = ["SSMS", "SHIFT"] as const;

export type Family = (typeof FAMILIES)[number];

/** What Hono carries through a request. */
export interface AppEnv {
  Bindings: Env;
  Variables: {
    requestId: string;
    config: Config;
    family: Family;
    tenant: string;
    caller: Caller;
    /** Whether the caller has one of the administrator's roles. */
    isAdministrator: boolean;
    /** What a test of settings contacts, for the log. */
    test: object;
  };
}
