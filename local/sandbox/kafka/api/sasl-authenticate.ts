import { timingSafeEqual } from "node:crypto";
import { type Api, defineApi } from "../api.ts";
import { ERROR } from "../error-codes.ts";
import { NO_BYTES } from "../group-types.ts";

interface Answer {
  readonly errorCode: number;
  readonly message: string | null;
}

/** A login holds for the life of the connection. */
const NO_EXPIRY = 0;

/**
 * SaslAuthenticate v0-1, by SASL/PLAIN: authorization identity, user and password with NUL between them (RFC 4616).
 * Request: auth_bytes bytes. Response: error_code int16, error_message string, auth_bytes bytes, session_lifetime_ms int64 (v1).
 */
export const saslAuthenticate: Api = defineApi<Buffer, Answer>({
  key: 36,
  name: "SaslAuthenticate",
  minVersion: 0,
  maxVersion: 1,
  decode: (reader) => reader.bytes(),
  apply(bytes, { authentication, faults, state }) {
    const { users } = state.settings;
    if (users === undefined || authentication.mechanism === undefined || authentication.done) {
      return { errorCode: ERROR.illegalSaslState, message: "SaslHandshake must come first" };
    }
    const refusal = faults.refusal({});
    if (refusal === undefined && isUser(bytes, users)) {
      authentication.done = true;
      return { errorCode: ERROR.none, message: null };
    }
    authentication.failed = true;
    return {
      errorCode: refusal?.errorCode ?? ERROR.saslAuthenticationFailed,
      message: "Authentication failed: Invalid username or password",
    };
  },
  encode(writer, { errorCode, message }, { version }) {
    writer.int16(errorCode).string(message).bytes(NO_BYTES);
    if (version >= 1) writer.int64(NO_EXPIRY);
  },
});

function isUser(bytes: Buffer, users: ReadonlyMap<string, string>): boolean {
  const parts = bytes.toString("utf8").split("\0");
  const [, user = "", password = ""] = parts;
  const wanted = users.get(user);
  if (parts.length !== 3 || wanted === undefined) return false;
  const given = Buffer.from(password);
  const expected = Buffer.from(wanted);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
