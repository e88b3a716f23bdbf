import { type Api, type ApiContext, defineApi } from "../api.ts";
import { ERROR } from "../error-codes.ts";

interface Answer {
  readonly errorCode: number;
  readonly producerId: number;
}

/**
 * InitProducerId v0-1: an id for an idempotent producer; transactions are not to be had here.
 * Request: transactional_id string, transaction_timeout_ms int32.
 * Response: throttle_time_ms int32, error_code int16, producer_id int64, producer_epoch int16.
 */
export const initProducerId: Api = defineApi<string | null, Answer>({
  key: 22,
  name: "InitProducerId",
  minVersion: 0,
  maxVersion: 1,
  decode(reader) {
    const transactionalId = reader.nullableString();
    reader.int32();
    return transactionalId;
  },
  apply(transactionalId, context) {
    const errorCode = problem(transactionalId, context);
    const producerId = errorCode === ERROR.none ? context.state.nextProducerId() : -1;
    return { errorCode, producerId };
  },
  encode(writer, { errorCode, producerId }, { throttleTimeMs }) {
    writer.int32(throttleTimeMs).int16(errorCode).int64(producerId);
    writer.int16(errorCode === ERROR.none ? 0 : -1);
  },
});

function problem(transactionalId: string | null, { faults }: ApiContext): number {
  const refusal = faults.refusal({});
  if (refusal !== undefined) return refusal.errorCode;
  return transactionalId === null ? ERROR.none : ERROR.invalidRequest;
}
