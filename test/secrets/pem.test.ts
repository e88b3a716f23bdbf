import { execFileSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { afterAll, describe, expect, test } from "vitest";
import { clientCertificate, trustedCertificates } from "../../shared/secrets/pem.ts";
import { findProgram } from "../support/programs.ts";

const program = findProgram("openssl");
const home = mkdtempSync(join(tmpdir(), "isthmus-pem-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const openssl = (...args: string[]): Buffer =>
  execFileSync(program ?? "", args, { cwd: home, stdio: ["ignore", "pipe", "ignore"] });
const read = (file: string): string => readFileSync(join(home, file), "utf8").trim();
const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** A root, what it signed, and so on down to the certificate of a client. */
function makeChain(): { root: string; upper: string; lower: string; leaf: string; key: string } {
  openssl("req", "-x509", ...EC, "-keyout", "root.key", "-out", "root.crt", "-subj", "/CN=root");
  writeFileSync(join(home, "ca.ext"), "basicConstraints=critical,CA:TRUE\n");
  const sign = (name: string, issuer: string, ...more: string[]): void => {
    openssl("req", ...EC, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    openssl(
      ...["x509", "-req", "-in", `${name}.csr`, "-CA", `${issuer}.crt`, "-CAkey", `${issuer}.key`],
      ...["-CAcreateserial", "-days", "2", "-out", `${name}.crt`, ...more],
    );
  };
  sign("upper", "root", "-extfile", "ca.ext");
  sign("lower", "upper", "-extfile", "ca.ext");
  sign("leaf", "lower");
  return {
    root: read("root.crt"),
    upper: read("upper.crt"),
    lower: read("lower.crt"),
    leaf: read("leaf.crt"),
    key: read("leaf.key"),
  };
}

describe.skipIf(program === undefined)("PEM of a client", () => {
  const { root, upper, lower, leaf, key } =
    program === undefined ? { root: "", upper: "", lower: "", leaf: "", key: "" } : makeChain();
  const now = Date.now();
  const parts = (certificate: string, privateKey: string, chain?: string) => ({
    certificate: { name: "tls.crt", text: certificate },
    key: { name: "tls.key", text: privateKey },
    chain: chain === undefined ? undefined : { name: "chain.pem", text: chain },
  });
  const use = (certificate: string, privateKey = key, chain?: string, at = now) =>
    clientCertificate('Secret "s"', parts(certificate, privateKey, chain), at);

  test.each([
    ["in the right order", () => [leaf, lower, upper]],
    ["upside down", () => [upper, lower, leaf]],
    ["with the root first", () => [root, lower, leaf, upper]],
  ])("a chain %s is put in the order of TLS: each before its issuer", (_name, order) => {
    const wanted = [leaf, lower, upper, ...(order().includes(root) ? [root] : [])];
    expect(use(order().join("\n")).certificate).toBe(wanted.join("\n"));
  });

  test("intermediate certificates from another key are put in order as well", () => {
    expect(use(leaf, key, `${upper}\n${lower}`).certificate).toBe(`${leaf}\n${lower}\n${upper}`);
  });

  test.each([
    ["PKCS#1 (RSA PRIVATE KEY)", ["rsa", "-traditional"], "rsa:1024", "BEGIN RSA PRIVATE KEY"],
    ["SEC 1 (EC PRIVATE KEY)", ["ec"], "", "BEGIN EC PRIVATE KEY"],
  ])("a key as %s is read like one of PKCS#8", (_name, convert, kind, label) => {
    const newKey = kind === "" ? EC : ["-newkey", kind, "-nodes"];
    openssl("req", "-x509", ...newKey, "-keyout", "own.key", "-out", "own.crt", "-subj", "/CN=a");
    openssl(...convert, "-in", "own.key", "-out", "old.key");
    expect(read("old.key")).toContain(label);
    const found = use(read("own.crt"), read("old.key"));
    expect(createPrivateKey(found.key).equals(createPrivateKey(read("own.key")))).toBe(true);
    if (kind === "") {
      expect(() => createSecureContext({ cert: found.certificate, key: found.key })).not.toThrow();
    }
  });

  test.each([
    ["the key of another", () => use(leaf, read("root.key")), "does not belong to the certificate"],
    ["only the certificate of the issuer", () => use(lower), "does not belong to the certificate"],
    [
      "a certificate that has expired",
      () => use(leaf, key, undefined, now + 3 * 86_400_000),
      "its certificate has expired on 20",
    ],
    [
      "a certificate of tomorrow",
      () => use(leaf, key, undefined, now - 86_400_000),
      "its certificate is not valid before 20",
    ],
    [
      "DER",
      () => use(openssl("x509", "-in", "leaf.crt", "-outform", "DER").toString()),
      'key "tls.crt": it is DER or PKCS#12, not PEM: convert it with openssl',
    ],
    [
      "a key in DER",
      () => use(leaf, openssl("pkey", "-in", "leaf.key", "-outform", "DER").toString()),
      'key "tls.key": it is DER or PKCS#12, not PEM: convert it with openssl',
    ],
    [
      "PKCS#12",
      () =>
        use(
          openssl(
            ...["pkcs12", "-export", "-in", "leaf.crt", "-inkey", "leaf.key", "-passout", "pass:x"],
          ).toString(),
        ),
      "it is DER or PKCS#12, not PEM",
    ],
    [
      "a key of PKCS#1 with a passphrase",
      () =>
        use(
          leaf,
          "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----",
        ),
      "the private key has a passphrase, which is not supported",
    ],
    [
      "a request for a certificate",
      () => use(read("leaf.csr")),
      'it holds no "-----BEGIN CERTIFICATE-----"',
    ],
  ])("%s is explained, without a byte of the key", (_name, using, says) => {
    let failure: unknown;
    try {
      using();
    } catch (cause) {
      failure = cause;
    }
    expect(failure).toMatchObject({
      code: "SECRET_INVALID",
      message: expect.stringContaining(says),
    });
    expect(String(failure)).not.toContain(key.split("\n")[1]);
  });

  test("a key among the certificates to trust is left where it is", () => {
    const text = `${root}\n${key}`;
    expect(trustedCertificates("ConfigMap", [{ name: "ca.crt", text }])).toEqual([root]);
  });
});
