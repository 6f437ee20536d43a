import { expect } from "vitest";
import type { Seen } from "./administrator.ts";

/** An answer of the contract: the envelope, and nothing more than `more`. */
export function answer(httpStatus: number, status: string, message: string, more: object = {}): Seen {
  return { httpStatus, body: { message, status, subSystem: 8, ...more } };
}

export const saved = answer(200, "OK", "Successfully updated SMTP Details");

export const deleted = answer(200, "OK", "Successfully deleted SMTP Details");

export const nothingStored = answer(404, "NOT_FOUND", "No SMTP settings are stored for this tenant.");

export const mandatoryMissing = answer(
  400,
  "BAD_REQUEST",
  "Host and From is mandatory to update Email Configuration.",
);

export const tooLarge = answer(413, "CONTENT_TOO_LARGE", "The body must have at most 16384 bytes.");

export const unauthorized = answer(401, "Unauthorized", "HTTP 401 Unauthorized.");

export const notFound = answer(404, "NOT_FOUND", "There is nothing at this address.");

export const wrongMediaType = answer(
  415,
  "UNSUPPORTED_MEDIA_TYPE",
  "Send the body as JSON, with Content-Type: application/json.",
);

/** The refusal of one field. */
export function invalidField(field: string, message: string): Seen {
  return answer(400, "BAD_REQUEST", `${field} ${message}.`, { errors: [{ field, message }] });
}

/** What reading answers where ada has saved. */
export function settingsRead(settings: object, warnings: string[] = []): Seen {
  const more = { settings, warnings, updatedBy: "ada", updatedAt: expect.stringMatching(RFC_3339_UTC) };
  return answer(200, "OK", "Successfully read SMTP Details", more);
}

const RFC_3339_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
