/** A user and password. */
export interface Credentials {
  user: string;
  password: string;
}

/** One authentication by a SASL mechanism (RFC 4422 section 3): what the client says, without the connection that carries it. */
export interface Mechanism {
  /** Its name, as servers offer it (RFC 4954 section 3). */
  readonly name: string;
  /** What the client says first, if it begins. */
  readonly initialResponse?: string;
  /** What no reply may show, neither as it is nor in base64. */
  readonly secrets: readonly string[];
  /**
   * Answers a challenge.
   *
   * @param challenge its bytes; `undefined` if they are not base64
   * @returns the response; `undefined` if the mechanism knows no such challenge
   */
  next(challenge: Buffer | undefined): string | undefined;
}
