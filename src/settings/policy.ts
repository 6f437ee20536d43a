import type { FieldError } from "../errors.ts";
import { importSigningKey } from "../oauth/private-key.ts";
import { isTokenUrlAllowed, type TokenUrlPolicy } from "../oauth/token-url.ts";
import { destinationProblem } from "../smtp/destination.ts";
import { MASK } from "./fields.ts";
import type { Settings } from "./schema.ts";

/**
 * Checks what the schema cannot: that SMTP server and token endpoint are public, and that the private key can sign.
 *
 * @returns the error of one field, or `undefined` if there is none
 */
export async function policyProblem(
  { host, authTokenUrl, authTokenPrivateKey }: Settings,
  policy: TokenUrlPolicy,
): Promise<FieldError | undefined> {
  const problem = destinationProblem(host, policy);
  if (problem !== undefined) return problem;
  if (authTokenUrl !== undefined && !isTokenUrlAllowed(authTokenUrl, policy)) {
    return { field: "authTokenUrl", message: "must have a public host that is not one of this service" };
  }
  if (authTokenPrivateKey === undefined || authTokenPrivateKey === MASK) return undefined;
  const key = await importSigningKey(authTokenPrivateKey);
  return "problem" in key ? { field: "authTokenPrivateKey", message: key.problem } : undefined;
}
