import { base64url, exportSPKI, importJWK } from "jose";
import type { Issuer } from "./issuer.ts";

/** A JWS in compact form that nobody's library would make: any header, claims and signature. */
export function forged(header: object, claims: object, signature = ""): string {
  return `${signingInput(header, claims)}.${signature}`;
}

/** A JWS signed with HMAC, where the secret is something public. */
export async function hmacSigned(header: object, claims: object, secret: string): Promise<string> {
  const input = signingInput(header, claims);
  const bytes = new TextEncoder().encode(secret);
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(input));
  return `${input}.${base64url.encode(new Uint8Array(signature))}`;
}

/** An issuer's public key as the PEM that an attacker can have. */
export async function publicPem({ publicJwk }: Issuer): Promise<string> {
  const key = await importJWK(publicJwk, "RS256", { extractable: true });
  if (!(key instanceof CryptoKey)) throw new Error("not a public key");
  return exportSPKI(key);
}

/** A token with one of its three parts (header, claims, signature) put in the place of what was signed. */
export function withPart(token: string, part: 0 | 1 | 2, text: string): string {
  return token
    .split(".")
    .map((original, index) => (index === part ? text : original))
    .join(".");
}

/** A part of a JWS, by the JSON in it. */
export function encoded(json: object): string {
  return base64url.encode(JSON.stringify(json));
}

function signingInput(header: object, claims: object): string {
  return `${encoded(header)}.${encoded(claims)}`;
}
