import { HISTORY_KEPT_SECONDS, KV_CACHE_MIN_SECONDS } from "../../src/limits.ts";
import { answerOf } from "./bare.ts";

/** As long as what ours stores for the sample settings, sealed. */
const VALUE = "x".repeat(850);

const METADATA = { kid: "2026-01-01-00000000", updatedAt: "2026-01-01T00:00:00.000Z" };

/** As much as ours notes in history. */
const ENTRY = {
  at: "2026-01-01T00:00:00.000Z",
  action: "saved",
  family: "SHIFT",
  requestId: "00000000-0000-4000-8000-000000000000",
  by: { sub: "00000000-0000-4000-8000-000000000001", preferred_username: "local-admin", azp: "admin-cli" },
  changed: [],
};

/** The bare Worker with the KV operations of ours: what of a measurement is the local store's. */
export default {
  async fetch(request, env, context) {
    const tenant = new URL(request.url).pathname.split("/")[3];
    await env.SMTP_SETTINGS.get(`smtp:${tenant}`, { cacheTtl: KV_CACHE_MIN_SECONDS });
    if (request.method === "POST") {
      await env.SMTP_SETTINGS.put(`smtp:${tenant}`, VALUE, { metadata: METADATA });
      const options = { metadata: ENTRY, expirationTtl: HISTORY_KEPT_SECONDS };
      const key = `history:${tenant}:${9_999_999_999_999 - Date.now()}:${crypto.randomUUID()}`;
      context.waitUntil(env.SMTP_SETTINGS.put(key, "", options));
    }
    return answerOf(request, env);
  },
} satisfies ExportedHandler<Env & { ANSWERS: string }>;
