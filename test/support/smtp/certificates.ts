import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";

/** A key and its certificate, in PEM. */
export interface Certificate {
  key: string;
  cert: string;
}

/** A certificate authority, and certificates for a server on `localhost`. */
export interface Authority {
  ca: Certificate;
  /** Signed by the authority. */
  trusted: Certificate;
  /** Signed by the authority, for another name. */
  otherName: Certificate;
  /** For `localhost`, but not signed by the authority. */
  selfSigned: Certificate;
}

/** Creates an authority for one run, in memory. */
export async function newAuthority(): Promise<Authority> {
  const ca = await certificate("Tenant Mail test authority", [
    { name: "basicConstraints", cA: true, critical: true },
    { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
  ]);
  return {
    ca,
    trusted: await certificate("localhost", forServer("localhost"), ca),
    otherName: await certificate("smtp.example.com", forServer("smtp.example.com"), ca),
    selfSigned: await certificate("localhost", forServer("localhost")),
  };
}

/** Makes workerd trust an authority. Miniflare reads NODE_EXTRA_CA_CERTS on import, so call this first. */
export function trust({ ca }: Authority): void {
  const folder = mkdtempSync(join(tmpdir(), "tenant-mail-authority-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "authorities.pem");
  const others = process.env.NODE_EXTRA_CA_CERTS;
  writeFileSync(file, `${others ? readFileSync(others, "utf8") : ""}\n${ca.cert}`);
  process.env.NODE_EXTRA_CA_CERTS = file;
}

function forServer(name: string) {
  return [
    { name: "basicConstraints" as const, cA: false },
    { name: "keyUsage" as const, digitalSignature: true },
    { name: "extKeyUsage" as const, serverAuth: true },
    { name: "subjectAltName" as const, altNames: [{ type: 2 as const, value: name }] },
  ];
}

async function certificate(
  commonName: string,
  extensions: NonNullable<Parameters<typeof generate>[1]>["extensions"],
  ca?: Certificate,
): Promise<Certificate> {
  const pem = await generate([{ name: "commonName", value: commonName }], {
    keyType: "ec",
    algorithm: "sha256",
    ...(extensions === undefined ? {} : { extensions }),
    ...(ca === undefined ? {} : { ca }),
  });
  return { key: pem.private, cert: pem.cert };
}
