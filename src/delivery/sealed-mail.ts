import { open, SealingError, type SealingKeys, seal } from "../storage/sealing.ts";
import type { Mail } from "./schema.ts";

/** What is stored of a message, encrypted: recipient, subject, headers and body. */
export type MailContent = Omit<Mail, "tag" | "expiresIn">;

/** Encrypts a message for its tenant, with the first key. */
export async function sealMail(tenant: string, mail: MailContent, keys: SealingKeys): Promise<string> {
  return (await seal("messages", tenant, { mail }, keys)).jwe;
}

/** @throws {SealingError} */
export async function openMail(tenant: string, jwe: string, keys: SealingKeys): Promise<MailContent> {
  const { claims, kid } = await open<{ mail?: MailContent }>(tenant, jwe, keys);
  if (claims.mail === undefined) throw new SealingError("holds no message", kid);
  return claims.mail;
}
