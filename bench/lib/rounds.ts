import type { Operation } from "./operations.ts";
import type { Server, Servers } from "./server.ts";

/** An operation with one server. */
export interface Subject {
  server: Server;
  operation: Operation;
}

/**
 * Measures each subject once per round, so that a disturbance of the machine affects all of them. The first
 * round is the warm-up and is not counted.
 *
 * @returns the samples of a subject
 */
export async function measureInRounds<Of extends object, Sample>(
  subjects: readonly Of[],
  rounds: number,
  measure: (subject: Of) => Promise<Sample>,
): Promise<(subject: Of) => Sample[]> {
  const samples = new Map<Of, Sample[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round <= rounds; round++) {
    // Every other round runs backwards, so that drift within a round favors no subject.
    for (const subject of round % 2 === 0 ? subjects : subjects.toReversed()) {
      const sample = await measure(subject);
      if (round > 0) samples.get(subject)?.push(sample);
    }
  }
  return (subject) => samples.get(subject) ?? [];
}

/** Measures each operation with the floor and ours, in rounds. */
export async function measurePairs<Sample>(
  servers: Servers,
  operations: readonly Operation[],
  rounds: number,
  measure: (subject: Subject) => Promise<Sample>,
): Promise<{ title: string; floor: Sample[]; ours: Sample[] }[]> {
  const pairs = operations.map((operation) => ({
    title: operation.title,
    floor: { server: servers.floor, operation },
    ours: { server: servers.ours, operation },
  }));
  const subjects = pairs.flatMap(({ floor, ours }) => [floor, ours]);
  const samplesOf = await measureInRounds(subjects, rounds, measure);
  return pairs.map(({ title, floor, ours }) => ({ title, floor: samplesOf(floor), ours: samplesOf(ours) }));
}
