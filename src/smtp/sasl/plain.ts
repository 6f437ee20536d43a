import type { Credentials, Mechanism } from "./mechanism.ts";

/** PLAIN (RFC 4616 section 2), without an identity to act as. */
export function plain({ user, password }: Credentials): Mechanism {
  const initialResponse = `\0${user}\0${password}`;
  return { name: "PLAIN", initialResponse, secrets: [initialResponse, password], next: () => undefined };
}
