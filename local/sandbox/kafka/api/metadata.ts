import { type Api, type ApiContext, defineApi } from "../api.ts";
import { CLUSTER_ID, NODE_ID } from "../broker-state.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { ERROR } from "../error-codes.ts";

interface Request {
  /** Null for all topics. */
  readonly topics: readonly string[] | null;
  readonly allowAutoTopicCreation: boolean;
}

interface TopicAnswer {
  readonly errorCode: number;
  readonly name: string;
  readonly partitionCount: number;
}

interface Answer {
  readonly host: string;
  readonly port: number;
  readonly topics: readonly TopicAnswer[];
}

/**
 * Metadata v0-6: the one broker, and the topics asked for.
 * Request: [topic string] (v0: empty means all; v1+: null means all), allow_auto_topic_creation boolean (v4+).
 * Response: throttle_time_ms int32 (v3+), [node_id int32, host string, port int32, rack string (v1+)], cluster_id string (v2+),
 *   controller_id int32 (v1+), [error_code int16, name string, is_internal boolean (v1+), [partition]];
 *   partition: error_code int16, index int32, leader int32, [replica int32], [in-sync int32], [offline int32] (v5+).
 */
export const metadata: Api = defineApi<Request, Answer>({
  key: 3,
  name: "Metadata",
  minVersion: 0,
  maxVersion: 6,
  decode(reader, version) {
    const topics = reader.nullableArray((item) => item.string());
    return {
      topics: version === 0 && topics?.length === 0 ? null : topics,
      allowAutoTopicCreation: version < 4 || reader.boolean(),
    };
  },
  targets: ({ topics }) => (topics ?? []).map((topic) => ({ topic })),
  apply(request, context) {
    const names = request.topics ?? context.state.topics.all().map(({ name }) => name);
    return {
      ...context.state.advertised(context.localAddress),
      topics: names.map((name) => describe(name, request, context)),
    };
  },
  encode(writer, answer, { version, throttleTimeMs }) {
    if (version >= 3) writer.int32(throttleTimeMs);
    writer.int32(1).int32(NODE_ID).string(answer.host).int32(answer.port);
    if (version >= 1) writer.string(null);
    if (version >= 2) writer.string(CLUSTER_ID);
    if (version >= 1) writer.int32(NODE_ID);
    writer.array(answer.topics, (_, topic) => {
      writer.int16(topic.errorCode).string(topic.name);
      if (version >= 1) writer.boolean(false);
      writer.int32(topic.partitionCount);
      for (let i = 0; i < topic.partitionCount; i += 1) encodePartition(writer, i, version);
    });
  },
});

function describe(
  name: string,
  { allowAutoTopicCreation }: Request,
  { state, faults }: ApiContext,
): TopicAnswer {
  const refusal = faults.refusal({ topic: name }) ?? faults.refusal({});
  if (refusal !== undefined) return { name, errorCode: refusal.errorCode, partitionCount: 0 };
  let errorCode: number = ERROR.none;
  if (state.topics.get(name) === undefined) {
    const mayCreate = allowAutoTopicCreation && state.settings.autoCreateTopics;
    errorCode = mayCreate
      ? state.topics.create(name, { partitions: -1 })
      : ERROR.unknownTopicOrPartition;
  }
  return { name, errorCode, partitionCount: state.topics.get(name)?.partitions.length ?? 0 };
}

function encodePartition(writer: ByteWriter, index: number, version: number): void {
  writer.int16(ERROR.none).int32(index).int32(NODE_ID);
  writer.int32(1).int32(NODE_ID);
  writer.int32(1).int32(NODE_ID);
  if (version >= 5) writer.int32(0);
}
