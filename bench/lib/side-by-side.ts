import assert from "node:assert/strict";
import type { Agent } from "node:https";
import type { ReceivedResponse } from "../../scripts/lib/http-client.ts";
import { load, type Sample } from "./load.ts";
import { type Operation, sendAll } from "./operations.ts";
import { comparison, table } from "./report.ts";
import { measurePairs } from "./rounds.ts";
import type { Servers } from "./server.ts";

/** Headers of the connection, which the Worker does not set. */
const CONNECTION_HEADERS = ["connection", "content-length", "date", "keep-alive", "transfer-encoding"];

/**
 * Checks that the floor responds like ours, except for times and ids.
 *
 * @throws {assert.AssertionError}
 */
export async function assertSameResponses(
  { floor, ours }: Servers,
  operations: readonly Operation[],
  agent: Agent,
): Promise<void> {
  for (const operation of operations) {
    const expected = comparable(await sendAll(ours, operation, agent));
    const actual = comparable(await sendAll(floor, operation, agent));
    assert.deepEqual(actual, expected, `the floor responds differently to: ${operation.title}`);
  }
}

function comparable({ status, headers, body }: ReceivedResponse): unknown {
  const own = Object.entries(headers).filter(([name]) => !CONNECTION_HEADERS.includes(name));
  const text = JSON.stringify({ status, headers: Object.fromEntries(own), body });
  return JSON.parse(
    text
      .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, "<id>")
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>"),
  );
}

/** Measures the load that the floor and ours sustain, as a table. */
export async function measureSideBySide(
  servers: Servers,
  operations: readonly Operation[],
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<string> {
  const pairs = await measurePairs(servers, operations, rounds, (subject) => load(subject, seconds));
  const ratio = "ours ÷ floor";
  return table(
    ["operation", "floor, req/s", "ours, req/s", ratio, "floor, CPU µs", "ours, CPU µs", ratio],
    pairs.map(({ title, floor, ours }) => {
      const compare = (name: keyof Sample) =>
        comparison(
          floor.map((sample) => sample[name]),
          ours.map((sample) => sample[name]),
        );
      return [title, ...compare("requestsPerSecond"), ...compare("cpuMicroseconds")];
    }),
  );
}
