import { type Api, type ApiContext, defineApi } from "../api.ts";
import { NODE_ID } from "../broker-state.ts";
import type { ByteReader } from "../byte-reader.ts";
import { ERROR } from "../error-codes.ts";

interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Which brokers hold each partition; empty leaves that to the broker. */
  readonly assignments: readonly (readonly number[])[];
  readonly configs: ReadonlyMap<string, string>;
}

interface Request {
  readonly topics: readonly NewTopic[];
  readonly validateOnly: boolean;
}

type Answer = readonly { readonly name: string; readonly errorCode: number }[];

/**
 * CreateTopics v0-4. Request: [name string, num_partitions int32, replication_factor int16, [partition int32, [broker int32]],
 *   [config string, value string]], timeout_ms int32, validate_only boolean (v1+).
 * Response: throttle_time_ms int32 (v2+), [name string, error_code int16, error_message string (v1+)].
 */
export const createTopics: Api = defineApi<Request, Answer>({
  key: 19,
  name: "CreateTopics",
  minVersion: 0,
  maxVersion: 4,
  decode(reader, version) {
    const topics = reader.array(readTopic);
    reader.int32();
    return { topics, validateOnly: version >= 1 && reader.boolean() };
  },
  targets: ({ topics }) => topics.map(({ name }) => ({ topic: name })),
  apply: ({ topics, validateOnly }, context) =>
    topics.map((topic) => ({
      name: topic.name,
      errorCode: create(topic, validateOnly, context),
    })),
  encode(writer, answer, { version, throttleTimeMs }) {
    if (version >= 2) writer.int32(throttleTimeMs);
    writer.array(answer, (_, { name, errorCode }) => {
      writer.string(name).int16(errorCode);
      if (version >= 1) writer.string(null);
    });
  },
});

function readTopic(reader: ByteReader): NewTopic {
  return {
    name: reader.string(),
    partitions: reader.int32(),
    replicationFactor: reader.int16(),
    assignments: reader.array((item) => {
      item.int32();
      return item.array((broker) => broker.int32());
    }),
    configs: new Map(
      reader.array((item) => [item.string(), item.nullableString() ?? ""] as [string, string]),
    ),
  };
}

function create(topic: NewTopic, validateOnly: boolean, { state, faults }: ApiContext): number {
  const refusal = faults.refusal({ topic: topic.name });
  if (refusal !== undefined) return refusal.errorCode;
  const { name, assignments, configs } = topic;
  const isReplicated =
    topic.replicationFactor > 1 || assignments.some((brokers) => brokers.join() !== `${NODE_ID}`);
  if (isReplicated) return ERROR.invalidReplicationFactor;
  const partitions = assignments.length > 0 ? assignments.length : topic.partitions;
  const settings = { partitions, configs };
  return validateOnly ? state.topics.problem(name, settings) : state.topics.create(name, settings);
}
