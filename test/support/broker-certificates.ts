import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "./programs.ts";

/** Who gets a certificate, and what it may be used for. */
const HOLDERS = [
  { file: "server", commonName: "localhost", usage: "serverAuth,clientAuth" },
  { file: "client", commonName: "isthmus-client", usage: "clientAuth" },
] as const;

/**
 * Makes a certificate authority of its own in `folder` and what it signs: `ca.crt`, `server.crt`, `server.key`, `client.crt`, `client.key`
 * (PEM, keys PKCS#8), `server-keystore.pem` (key and chain in one); besides `stranger.crt` and `stranger.key`, which no broker here trusts.
 * False when this machine has no openssl command.
 */
export function makeBrokerCertificates(folder: string): boolean {
  const program = findProgram("openssl");
  if (program === undefined) return false;
  mkdirSync(folder, { recursive: true });
  const openssl = (...args: string[]): void => {
    execFileSync(program, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  };
  makeAuthority(openssl, "ca", "Isthmus test authority");
  for (const holder of HOLDERS) sign(openssl, folder, holder);
  makeAuthority(openssl, "stranger", "isthmus-client");
  const parts = ["server.key", "server.crt", "ca.crt"].map((file) =>
    readFileSync(join(folder, file), "utf8"),
  );
  writeFileSync(join(folder, "server-keystore.pem"), parts.join(""));
  return true;
}

type OpenSsl = (...args: string[]) => void;

/** Elliptic curves: an RSA key takes a second to make. */
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

function makeAuthority(openssl: OpenSsl, file: string, commonName: string): void {
  openssl(
    ...["req", "-x509", ...NEW_KEY, "-days", "2", "-subj", `/CN=${commonName}`],
    ...["-keyout", `${file}.key`, "-out", `${file}.crt`],
    ...["-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature"],
  );
}

function sign(openssl: OpenSsl, folder: string, holder: (typeof HOLDERS)[number]): void {
  const { file, commonName, usage } = holder;
  const extensions = `subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=${usage}\n`;
  writeFileSync(join(folder, `${file}.ext`), extensions);
  openssl(
    ...["req", ...NEW_KEY, "-subj", `/CN=${commonName}`],
    ...["-keyout", `${file}.key`, "-out", `${file}.csr`],
  );
  openssl(
    ...["x509", "-req", "-in", `${file}.csr`, "-days", "2", "-extfile", `${file}.ext`],
    ...["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", `${file}.crt`],
  );
  for (const rest of ["csr", "ext"]) rmSync(join(folder, `${file}.${rest}`));
}
