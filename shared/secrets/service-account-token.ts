import { readFile } from "node:fs/promises";
import { BridgeError } from "../errors.ts";
import type { MqttCredential } from "../model/endpoint.ts";

/** Where a cluster of Azure IoT Operations mounts the token for its broker. */
export const defaultTokenFile = "/var/run/secrets/tokens/broker-sat";

/** Nobody tells when the cluster replaces the file; it does so long before the old token ends. */
const CHECK_EVERY_MS = 60_000;

/** Enhanced authentication by a Kubernetes service account token, read anew each time: the cluster replaces it. */
export function serviceAccountToken(
  file: string,
  read: (path: string) => Promise<Uint8Array> = readFile,
): MqttCredential {
  return {
    kind: "enhanced",
    method: "K8S-SAT",
    checkEveryMs: CHECK_EVERY_MS,
    async data() {
      const token = await readToken(file, read);
      const expiresAt = expiryOf(token);
      const data = new TextEncoder().encode(token);
      return expiresAt === undefined ? { data } : { data, expiresAt };
    },
  };
}

async function readToken(
  file: string,
  read: (path: string) => Promise<Uint8Array>,
): Promise<string> {
  try {
    return new TextDecoder().decode(await read(file)).trim();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new BridgeError(
      "SECRET_MISSING",
      `Cannot read the service account token "${file}": ${code ?? "unknown reason"}. Outside a cluster, use another authentication method`,
      { cause },
    );
  }
}

/** `exp` of a JSON Web Token in milliseconds since the Unix epoch, or undefined where there is none. */
export function expiryOf(token: string): number | undefined {
  try {
    const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
    const { exp } = JSON.parse(payload) as { exp?: unknown };
    return typeof exp === "number" ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
