import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/** A throwaway authority and what it signed: for `localhost` and 127.0.0.1, for another host, and for a client. */
export interface Certificates {
  readonly ca: string;
  readonly server: Identity;
  readonly elsewhere: Identity;
  readonly client: Identity;
}

/** Undefined when this machine has no openssl command. */
export function makeCertificates(): Certificates | undefined {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-certificates-"));
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => {
    execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const identity = (name: string, subjectAltName: string): Identity => {
    writeFileSync(file(`${name}.ext`), `subjectAltName=${subjectAltName}\n`);
    openssl(
      "req",
      ...newKey,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
      "-subj",
      `/CN=${name}`,
    );
    openssl(
      ...["x509", "-req", "-in", `${name}.csr`, "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "2"],
      ...["-CAcreateserial", "-extfile", `${name}.ext`, "-out", `${name}.crt`],
    );
    return {
      certificate: readFileSync(file(`${name}.crt`), "utf8"),
      key: readFileSync(file(`${name}.key`), "utf8"),
    };
  };
  try {
    openssl("version");
  } catch {
    return undefined;
  }
  openssl(
    "req",
    "-x509",
    ...newKey,
    "-keyout",
    "ca.key",
    "-out",
    "ca.crt",
    "-days",
    "2",
    "-subj",
    "/CN=ca",
  );
  return {
    ca: readFileSync(file("ca.crt"), "utf8"),
    server: identity("server", "DNS:localhost,IP:127.0.0.1"),
    elsewhere: identity("elsewhere", "DNS:elsewhere.example"),
    client: identity("client", "DNS:client"),
  };
}
