/** How much a run does. Every loop of the benchmark is bounded by this. */
export interface Plan {
  /** Interleaved rounds of each operation and contender. */
  rounds: number;
  /** Length of one round, in seconds. */
  seconds: number;
  /** Length of the warm-up before the first round, in seconds. */
  warmUpSeconds: number;
  /** Requests that are under way at any time. */
  connections: number;
  /** Most requests of one connection in a round, so that no round stores without end. */
  maxRequestsPerConnection: number;
  /** Times an operation is repeated inside the isolate in a round. */
  repetitions: number;
  /** Tenants over which requests are spread. */
  tenants: number;
  /** Fresh isolates, of each contender, whose first answer is timed. */
  starts: number;
  /** Length of one round of the growth of cost, in seconds. */
  growthSeconds: number;
  /** Rounds of the growth of cost. */
  growthRounds: number;
  /** Numbers of tenants stored, by which the cost might grow. */
  populations: readonly number[];
}

/** Under six minutes. */
export const FULL: Plan = {
  rounds: 5,
  seconds: 2,
  warmUpSeconds: 1,
  connections: 16,
  maxRequestsPerConnection: 2_000,
  repetitions: 2_000,
  tenants: 200,
  starts: 20,
  growthSeconds: 1,
  growthRounds: 3,
  populations: [10, 1_000, 10_000],
};

/** Shows that the benchmark works. Its figures mean nothing. */
export const QUICK: Plan = {
  ...FULL,
  rounds: 1,
  seconds: 0.4,
  warmUpSeconds: 0.4,
  repetitions: 200,
  tenants: 10,
  starts: 2,
  growthSeconds: 0.4,
  growthRounds: 1,
  populations: [10, 20],
};
