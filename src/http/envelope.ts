/** Keycloak's extension answers with the number of the part of the platform that speaks: 8 is mail. */
const SUB_SYSTEM = 8;

/** What every JSON answer of the mail API has. */
export interface Envelope {
  message: string;
  status: string;
  subSystem: typeof SUB_SYSTEM;
}

/** Puts a message and further members into the form that every JSON answer has. */
export function envelope<More extends object = object>(
  status: string,
  message: string,
  more?: More,
): Envelope & More {
  return { message, status, subSystem: SUB_SYSTEM, ...(more as More) };
}
