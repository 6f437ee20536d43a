import assert from "node:assert/strict";
import http from "node:http";
import https from "node:https";
import { text } from "node:stream/consumers";
import type { RecordedAnswer } from "../workers/bare.ts";
import type { LoadRequest } from "./load.ts";
import type { Operation } from "./operations.ts";
import type { Server } from "./server.ts";

/** Says how the message travels, which is not the Worker's. */
const TRANSPORT_HEADERS = ["connection", "content-length", "date", "keep-alive", "transfer-encoding"];

/** What a server answers to the first request of an operation. */
export async function answerTo(
  server: Server,
  { scheme, requests: [request] }: Operation,
): Promise<RecordedAnswer> {
  if (request === undefined) throw new Error("there is no request");
  return send(server, scheme, request);
}

/** Sends every request of an operation once. */
export async function sendAll(server: Server, { scheme, status, requests }: Operation): Promise<void> {
  for (const request of requests) {
    const answer = await send(server, scheme, request);
    assert.equal(answer.status, status, `${request.method} ${request.path}: ${answer.body}`);
  }
}

/**
 * Checks that an answer is like the one of ours: the same but for times, ids and order.
 *
 * @throws {assert.AssertionError}
 */
export function assertAlike(answer: RecordedAnswer, ours: RecordedAnswer, message: string): void {
  assert.deepEqual(shapeOf(answer), shapeOf(ours), message);
}

function shapeOf({ status, headers, body }: RecordedAnswer) {
  const [heads, members] = [JSON.stringify(headers), body].map((text) => JSON.parse(withoutIds(text)));
  return { status, headers: heads, body: members };
}

function withoutIds(text: string): string {
  return text
    .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, "<id>")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>");
}

/** Sends a request on a connection of its own. */
export async function send(
  server: Server,
  scheme: "http" | "https",
  { method, path, headers, body }: LoadRequest,
): Promise<RecordedAnswer> {
  const options = { method, path, headers, host: "127.0.0.1", port: server.port, agent: false as const };
  const timeout = AbortSignal.timeout(10_000);
  const request =
    scheme === "https"
      ? https.request({ ...options, rejectUnauthorized: false, signal: timeout })
      : http.request({ ...options, signal: timeout });
  request.end(body);
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request.on("response", resolve).on("error", reject);
  });
  const own = Object.entries(response.headers).filter(([name]) => !TRANSPORT_HEADERS.includes(name));
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(own.map(([name, value]) => [name, String(value)])),
    body: await text(response),
  };
}
