/** SASL OAUTHBEARER (RFC 7628). kafkajs takes the broker's refusal of a token for its consent and learns of it by a closed connection only. */
import type { AuthenticationProviderArgs, Mechanism } from "kafkajs";
import { BridgeError } from "../../errors.ts";

/** Logs in with a fresh token at every connection, and again before a session ends. @throws BridgeError when the token is refused */
export function oauthBearer(token: () => Promise<string>): Mechanism {
  return {
    mechanism: "oauthbearer",
    authenticationProvider: ({ host, port, saslAuthenticate }: AuthenticationProviderArgs) => ({
      async authenticate(): Promise<void> {
        const message = firstMessage(await token());
        const refusal = await saslAuthenticate({
          request: { encode: () => message },
          response: { decode: (authBytes) => authBytes, parse: challengeOf },
        });
        if (refusal === undefined) return;
        throw new BridgeError(
          "KAFKA_AUTHENTICATION_FAILED",
          `Kafka at ${host}:${port} does not accept the access token: ${refusal}`,
        );
      },
    }),
  };
}

/** As kafkajs wants it: behind its length. */
function firstMessage(token: string): Buffer {
  const text = Buffer.from(`n,,\u0001auth=Bearer ${token}\u0001\u0001`);
  const message = Buffer.allocUnsafe(4 + text.length);
  message.writeInt32BE(text.length);
  text.copy(message, 4);
  return message;
}

/** The status of RFC 7628 3.2.2, by which a server says that it refuses; undefined where it consents. */
function challengeOf(authBytes: Buffer): string | undefined {
  const text = authBytes.subarray(4).toString();
  if (text === "") return undefined;
  const status = /"status"\s*:\s*"([\w .-]{1,64})"/u.exec(text)?.[1];
  return status ?? "no reason given";
}
