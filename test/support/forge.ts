import { base64url, exportSPKI, importJWK } from "jose";
import type { Issuer } from "./issuer.ts";

/** A JWS in compact serialization with any header, claims and signature, however invalid. */
export function forged(header: object, claims: object, signature = ""): string {
  return `${signingInput(header, claims)}.${signature}`;
}

/** A JWS signed with HMAC SHA-256, with public text as its secret. */
export async function hmacSigned(header: object, claims: object, secret: string): Promise<string> {
  const input = signingInput(header, claims);
  const bytes = new TextEncoder().encode(secret);
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(input));
  return `${input}.${base64url.encode(new Uint8Array(signature))}`;
}

/** An issuer's public key in PEM, as an attacker can obtain it. */
export async function publicPem({ publicJwk }: Issuer): Promise<string> {
  const key = await importJWK(publicJwk, publicJwk.alg, { extractable: true });
  if (!(key instanceof CryptoKey)) throw new Error("not a public key");
  return exportSPKI(key);
}

/** Replaces one part of a token: header (0), claims (1) or signature (2). */
export function withPart(token: string, part: 0 | 1 | 2, text: string): string {
  return token.split(".").with(part, text).join(".");
}

/** Encodes a header or claims as a part of a JWS. */
export function encoded(json: object): string {
  return base64url.encode(JSON.stringify(json));
}

function signingInput(header: object, claims: object): string {
  return `${encoded(header)}.${encoded(claims)}`;
}
