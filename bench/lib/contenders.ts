import { join } from "node:path";
import type { Defer } from "../../scripts/lib/run.ts";
import type { RecordedAnswer } from "../workers/bare.ts";
import { answerTo, assertAlike, sendAll } from "./answers.ts";
import type { Certificate } from "./miniflare.ts";
import type { Operation, OperationName } from "./operations.ts";
import { type Server, startNode, startWorkerd } from "./server.ts";

export type ContenderName = "bare" | "store" | "floor" | "ours" | "node";

/** What each contender is, for a person. */
export const CONTENDERS: Readonly<Record<ContenderName, string>> = {
  bare: "bare Worker",
  store: "bare Worker + KV",
  floor: "floor of the work",
  ours: "ours",
  node: "Fastify on Node",
};

/** Which contenders know which operation. The store only matters where ours uses it. */
export const FIELD: Readonly<Record<OperationName, readonly ContenderName[]>> = {
  save: ["bare", "store", "floor", "ours", "node"],
  read: ["bare", "store", "floor", "ours", "node"],
  bogus: ["bare", "floor", "ours"],
  plain: ["bare", "floor", "ours"],
};

/** The servers by scheme and contender. */
export type Servers = Record<"http" | "https", Partial<Record<ContenderName, Server>>>;

/** What the contenders run on. */
export interface Setup {
  /** Paths of the bundled Workers. */
  scripts: Readonly<Record<"bare" | "store" | "floor" | "ours", string>>;
  vars: Readonly<Record<"SETTINGS_KEYS" | "JWKS" | string, string>>;
  certificate: Certificate;
  folder: string;
}

/**
 * Starts every contender in a process of its own, and checks that all answer alike.
 *
 * @returns the servers, and what the bare Worker needs as `ANSWERS`
 * @throws {Error} if one answers otherwise than ours
 */
export async function startContenders(
  { scripts, vars, certificate, folder }: Setup,
  operations: readonly Operation[],
  defer: Defer,
): Promise<{ servers: Servers; answers: string }> {
  const startWorker = (script: string, scheme: "http" | "https", more = {}) =>
    startWorkerd(
      { script, vars: { ...vars, ...more }, ...(scheme === "https" ? { certificate } : {}) },
      folder,
      defer,
    );
  const { JWKS: jwks = "", SETTINGS_KEYS: settingsKeys = "" } = vars;
  const database = join(folder, "node.sqlite");
  const servers: Servers = {
    http: {
      ours: await startWorker(scripts.ours, "http"),
      floor: await startWorker(scripts.floor, "http"),
    },
    https: {
      ours: await startWorker(scripts.ours, "https"),
      floor: await startWorker(scripts.floor, "https"),
      node: await startNode({ certificate, database, jwks, settingsKeys }, folder, defer),
    },
  };
  const answers = await answersOfOurs(servers, operations);
  const ANSWERS = JSON.stringify(answers);
  servers.http.bare = await startWorker(scripts.bare, "http", { ANSWERS });
  servers.https.bare = await startWorker(scripts.bare, "https", { ANSWERS });
  servers.https.store = await startWorker(scripts.store, "https", { ANSWERS });
  await checkAnswers(servers, operations, answers);
  return { servers, answers: ANSWERS };
}

/** The server of a contender for an operation. */
export function serverOf(servers: Servers, { scheme }: Operation, contender: ContenderName): Server {
  const server = servers[scheme][contender];
  if (server === undefined) throw new Error(`${contender} does not serve ${scheme}`);
  return server;
}

async function answersOfOurs(servers: Servers, operations: readonly Operation[]) {
  const answers: Partial<Record<OperationName, RecordedAnswer>> = {};
  for (const operation of operations) {
    const server = serverOf(servers, operation, "ours");
    await sendAll(server, operation);
    answers[operation.name] = await answerTo(server, operation);
  }
  return answers;
}

async function checkAnswers(
  servers: Servers,
  operations: readonly Operation[],
  answers: Partial<Record<OperationName, RecordedAnswer>>,
): Promise<void> {
  for (const operation of operations) {
    const expected = answers[operation.name];
    if (expected === undefined) throw new Error(`ours has not answered to ${operation.title}`);
    for (const contender of FIELD[operation.name]) {
      const server = serverOf(servers, operation, contender);
      await sendAll(server, operation);
      assertAlike(
        await answerTo(server, operation),
        expected,
        `${operation.title}: ${CONTENDERS[contender]}`,
      );
    }
  }
}
