import { type Api, defineApi } from "../api.ts";
import { ERROR } from "../error-codes.ts";

const MECHANISMS = ["PLAIN"];

/**
 * SaslHandshake v0-1: the client names its mechanism. Request: mechanism string. Response: error_code int16, [mechanism string].
 * After v0 the login would follow without the protocol's own frames: that is refused as an unsupported mechanism.
 */
export const saslHandshake: Api = defineApi<string, number>({
  key: 17,
  name: "SaslHandshake",
  minVersion: 0,
  maxVersion: 1,
  decode: (reader) => reader.string(),
  apply(mechanism, { apiVersion, authentication, faults, state }) {
    const refusal = faults.refusal({});
    if (refusal !== undefined) return refusal.errorCode;
    if (state.settings.users === undefined || authentication.done) return ERROR.illegalSaslState;
    const isSupported = apiVersion >= 1 && MECHANISMS.includes(mechanism);
    if (!isSupported) return ERROR.unsupportedSaslMechanism;
    authentication.mechanism = mechanism;
    return ERROR.none;
  },
  encode(writer, errorCode) {
    writer.int16(errorCode);
    writer.array(MECHANISMS, (_, mechanism) => writer.string(mechanism));
  },
});
