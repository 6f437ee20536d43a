import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { type Call, call } from "./client.ts";
import { families } from "./families.ts";
import { logged } from "./request-lines.ts";
import { sampleSettings } from "./samples.ts";

/** What came of a try to save settings for a tenant. */
export interface Attempt {
  tenant: string;
  response: Response;
  /** Why the request was refused, as the log has it. */
  reason: unknown;
}

/** Tries to save settings for a tenant with a token: what an attacker would like to do. */
export async function attempt(tenant: string, token: string, more: Call = {}): Promise<Attempt> {
  const address = families[0].address(tenant);
  const { response, entry } = await logged(() => call(address, { token, body: sampleSettings, ...more }));
  return { tenant, response, reason: entry.reason };
}

/** Holds an attempt to be a 401 that tells nothing, that was made for `reason`, and that stored nothing. */
export async function expectUnauthorized(
  { tenant, response, reason }: Attempt,
  expectedReason: string,
  challenge = 'Bearer error="invalid_token"',
): Promise<void> {
  expect(reason).toBe(expectedReason);
  expect(response.status).toBe(401);
  expect(response.headers.get("WWW-Authenticate")).toBe(challenge);
  expect(await response.json()).toEqual({
    message: "HTTP 401 Unauthorized.",
    status: "Unauthorized",
    subSystem: 8,
  });
  expect(await storedFor(tenant)).toBeNull();
}

/** Holds an attempt to have saved the settings. */
export async function expectSaved({ tenant, response }: Attempt): Promise<void> {
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    message: "Successfully updated SMTP Details",
    status: "OK",
    subSystem: 8,
  });
  expect(await storedFor(tenant)).not.toBeNull();
}

/** The sealed value that lies in KV for a tenant. */
export function storedFor(tenant: string): Promise<string | null> {
  return env.SMTP_SETTINGS.get(`smtp:${tenant}`);
}
