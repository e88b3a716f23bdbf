import { type Api, type ApiContext, defineApi } from "../api.ts";

interface Growth {
  readonly name: string;
  readonly count: number;
}

interface Request {
  readonly topics: readonly Growth[];
  readonly validateOnly: boolean;
}

type Answer = readonly { readonly name: string; readonly errorCode: number }[];

/**
 * CreatePartitions v0-1. Request: [name string, count int32, [[broker int32]]], timeout_ms int32, validate_only boolean.
 * Response: throttle_time_ms int32, [name string, error_code int16, error_message string].
 */
export const createPartitions: Api = defineApi<Request, Answer>({
  key: 37,
  name: "CreatePartitions",
  minVersion: 0,
  maxVersion: 1,
  decode(reader) {
    const topics = reader.array((item) => {
      const growth = { name: item.string(), count: item.int32() };
      item.nullableArray((assignment) => assignment.array((broker) => broker.int32()));
      return growth;
    });
    reader.int32();
    return { topics, validateOnly: reader.boolean() };
  },
  targets: ({ topics }) => topics.map(({ name }) => ({ topic: name })),
  apply: ({ topics, validateOnly }, context) =>
    topics.map((growth) => ({
      name: growth.name,
      errorCode: grow(growth, validateOnly, context),
    })),
  encode(writer, answer, { throttleTimeMs }) {
    writer.int32(throttleTimeMs);
    writer.array(answer, (_, { name, errorCode }) => {
      writer.string(name).int16(errorCode).string(null);
    });
  },
});

function grow(
  { name, count }: Growth,
  validateOnly: boolean,
  { state, faults }: ApiContext,
): number {
  const refusal = faults.refusal({ topic: name });
  return refusal?.errorCode ?? state.topics.grow(name, count, validateOnly);
}
