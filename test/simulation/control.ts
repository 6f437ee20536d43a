import type { Pace } from "./scenario.ts";

/**
 * Where the simulation starts a server (POST a {@link SimulatedServer}), sets its clock (PUT {@link ServerTime}),
 * reads what it has seen (GET {@link ServerRecord}), and stops it (DELETE).
 */
export const SIMULATION_ORIGIN = "https://simulation.test";

/** Which server to start. */
export interface SimulatedServer {
  scenario: string;
  pace: Pace;
  seed: number;
}

export interface ServerTime {
  /** Virtual time since the start. */
  minute: number;
  /** Whether a delivery run keeps a connection open. All others end before the time passes. */
  keepsConnection: boolean;
}

/** One message whose content a server has received. */
interface ReceivedContent {
  messageId: string;
  minute: number;
  outcome: "accepted" | "rejected" | "unknown";
}

/** What a server has seen so far, in the order of time. */
export interface ServerRecord {
  contents: ReceivedContent[];
  /** Minutes of MAIL commands. */
  attempts: number[];
  /** Minutes of AUTH commands; of all connections, refused or not, if the server offers no AUTH. */
  logins: number[];
}
