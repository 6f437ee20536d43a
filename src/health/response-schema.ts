import * as z from "zod/mini";
import { described, envelopeFields, okFields } from "../http/response-schema.ts";

const version = described(z.string(), "Version of the Worker.");

/** The response of a Worker that can serve. */
export const healthySchema = z.object({ ...okFields, version });

/** The response of a Worker that cannot serve. */
export const unhealthySchema = z.object({ ...envelopeFields, version });
