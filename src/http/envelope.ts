/** Number of the mail subsystem in the platform's responses. */
const SUB_SYSTEM = 8;

/** Members of every JSON response of the mail API. */
export interface Envelope {
  message: string;
  status: string;
  subSystem: typeof SUB_SYSTEM;
}

/** Wraps a message, and further members, in the envelope. */
export function envelope<Members extends object = object>(
  status: string,
  message: string,
  members?: Members,
): Envelope & Members {
  return { message, status, subSystem: SUB_SYSTEM, ...(members as Members) };
}
