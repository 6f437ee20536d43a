import type { Credentials, Mechanism } from "./mechanism.ts";

/**
 * LOGIN, which was never standardized. Servers word its two prompts differently, some not in base64, so only their
 * order counts.
 *
 * @see https://datatracker.ietf.org/doc/html/draft-murchison-sasl-login-00
 */
export function login({ user, password }: Credentials): Mechanism {
  const answers = [user, password];
  return { name: "LOGIN", secrets: [password], next: () => answers.shift() };
}
