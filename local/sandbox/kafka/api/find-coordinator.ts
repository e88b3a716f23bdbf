import { type Api, type ApiContext, defineApi } from "../api.ts";
import { NODE_ID } from "../broker-state.ts";
import { ERROR } from "../error-codes.ts";

interface Request {
  readonly key: string;
  readonly keyType: number;
}

interface Answer {
  readonly errorCode: number;
  readonly host: string;
  readonly port: number;
}

const GROUP = 0;

/**
 * FindCoordinator v0-2: for a group it is always this broker; there are no transactions.
 * Request: key string, key_type int8 (v1+).
 * Response: throttle_time_ms int32 (v1+), error_code int16, error_message string (v1+), node_id int32, host string, port int32.
 */
export const findCoordinator: Api = defineApi<Request, Answer>({
  key: 10,
  name: "FindCoordinator",
  minVersion: 0,
  maxVersion: 2,
  decode: (reader, version) => ({
    key: reader.string(),
    keyType: version >= 1 ? reader.int8() : GROUP,
  }),
  targets: ({ key }) => [{ group: key }],
  apply: (request, context) => ({
    errorCode: problem(request, context),
    ...context.state.advertised(context.localAddress),
  }),
  encode(writer, { errorCode, host, port }, { version, throttleTimeMs }) {
    if (version >= 1) writer.int32(throttleTimeMs);
    writer.int16(errorCode);
    if (version >= 1) writer.string(null);
    writer
      .int32(errorCode === ERROR.none ? NODE_ID : -1)
      .string(host)
      .int32(port);
  },
});

function problem({ key, keyType }: Request, { faults }: ApiContext): number {
  const refusal = faults.refusal({ group: key });
  if (refusal !== undefined) return refusal.errorCode;
  return keyType === GROUP ? ERROR.none : ERROR.invalidRequest;
}
