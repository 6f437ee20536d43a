import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { type CallOptions, call } from "./client.ts";
import { families } from "./families.ts";
import { captureLogEntry } from "./log.ts";
import { sampleSettings } from "./samples.ts";

/** The outcome of a save that may be rejected. */
export interface SaveAttempt {
  tenant: string;
  response: Response;
  /** Why the Worker rejected the request, from its log. */
  reason: unknown;
}

/** Saves settings for a tenant with a token, as an attacker might. */
export async function attemptSave(
  tenant: string,
  token: string,
  options: CallOptions = {},
): Promise<SaveAttempt> {
  const address = families[0].address(tenant);
  const { response, entry } = await captureLogEntry(() =>
    call(address, { token, body: sampleSettings, ...options }),
  );
  return { tenant, response, reason: entry.reason };
}

/** Asserts a 401 that reveals nothing and stored nothing, with the reason in the log. */
export async function expectUnauthorized(
  { tenant, response, reason }: SaveAttempt,
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

/** Asserts that the settings were saved. */
export async function expectSaved({ tenant, response }: SaveAttempt): Promise<void> {
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    message: "Successfully updated SMTP Details",
    status: "OK",
    subSystem: 8,
  });
  expect(await storedFor(tenant)).not.toBeNull();
}

/** A tenant's stored value, still sealed. */
export function storedFor(tenant: string): Promise<string | null> {
  return env.SMTP_SETTINGS.get(`smtp:${tenant}`);
}
