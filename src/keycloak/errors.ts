import { SafeError } from "../errors.ts";

/** A failed request to Keycloak. The message contains our own words, and a status. */
export class KeycloakError extends SafeError {
  override readonly name = "KeycloakError";
  /** `forbidden`: Keycloak says that the token may not. `unknown`: it may have done what was asked. */
  readonly outcome: "forbidden" | "failed" | "unknown";

  constructor(outcome: KeycloakError["outcome"], message: string) {
    super(message);
    this.outcome = outcome;
  }
}
