import { expect } from "vitest";

/** Status and body of a response, asserted together. */
export interface JsonResponse {
  httpStatus: number;
  body: unknown;
}

/** Reads the status and the JSON body of a response. */
export async function readJson(response: Response): Promise<JsonResponse> {
  return { httpStatus: response.status, body: await response.json() };
}

/** An expected response: the envelope and `members`, nothing else. */
export function jsonResponse(
  httpStatus: number,
  status: string,
  message: string,
  members: object = {},
): JsonResponse {
  return { httpStatus, body: { message, status, subSystem: 8, ...members } };
}

export const saved = jsonResponse(200, "OK", "Successfully updated SMTP Details");

export const deleted = jsonResponse(200, "OK", "Successfully deleted SMTP Details");

export const nothingStored = jsonResponse(404, "NOT_FOUND", "No SMTP settings are stored for this tenant.");

export const mandatoryFieldsMissing = jsonResponse(
  400,
  "BAD_REQUEST",
  "Host and From is mandatory to update Email Configuration.",
);

export const contentTooLarge = jsonResponse(
  413,
  "CONTENT_TOO_LARGE",
  "The body must have at most 16384 bytes.",
);

export const unauthorized = jsonResponse(401, "Unauthorized", "HTTP 401 Unauthorized.");

export const notFound = jsonResponse(404, "NOT_FOUND", "There is nothing at this address.");

export const internalError = jsonResponse(500, "INTERNAL_SERVER_ERROR", "Something went wrong on our side.");

export const unsupportedMediaType = jsonResponse(
  415,
  "UNSUPPORTED_MEDIA_TYPE",
  "Send the body as JSON, with Content-Type: application/json.",
);

export const unsupportedContentCoding = jsonResponse(
  415,
  "UNSUPPORTED_MEDIA_TYPE",
  "Send the body as it is: without Content-Encoding, or with Content-Encoding: identity.",
);

/** The response to one invalid field. */
export function invalidField(field: string, message: string): JsonResponse {
  return jsonResponse(400, "BAD_REQUEST", `${field} ${message}.`, { errors: [{ field, message }] });
}

/** The response to a read of settings that ada has saved. */
export function settingsResponse(settings: object, warnings: string[] = []): JsonResponse {
  const members = { settings, warnings, updatedBy: "ada", updatedAt: expect.stringMatching(RFC_3339_UTC) };
  return jsonResponse(200, "OK", "Successfully read SMTP Details", members);
}

const RFC_3339_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
