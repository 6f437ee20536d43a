import { createHmac } from "node:crypto";
import type { Credentials, Mechanism } from "./mechanism.ts";

/** CRAM-MD5 (RFC 2195 section 2). */
export function cramMd5({ user, password }: Credentials): Mechanism {
  const secrets = [password];
  let isAnswered = false;
  return {
    name: "CRAM-MD5",
    secrets,
    next(challenge) {
      if (isAnswered || challenge === undefined || challenge.length === 0) return undefined;
      isAnswered = true;
      const digest = createHmac("md5", password).update(challenge).digest("hex");
      const response = `${user} ${digest}`;
      // With a digest and its challenge, the password can be searched for.
      secrets.push(response, digest);
      return response;
    },
  };
}
