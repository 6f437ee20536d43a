/**
 * Writes one line of JSON, as Workers Logs indexes it. Members with the value `undefined` are left out. No member
 * ever holds a token, a password, a key or a body.
 *
 * @param message names the event, the same in each of its lines
 * @see https://developers.cloudflare.com/workers/observability/logs/workers-logs/
 */
export function log(level: "info" | "warn" | "error", message: string, members: object): void {
  console[level](JSON.stringify({ message, ...members }));
}
