import { type Api, type ApiContext, defineApi } from "../api.ts";
import { NODE_ID } from "../broker-state.ts";
import { ERROR } from "../error-codes.ts";

interface Resource {
  readonly type: number;
  readonly name: string;
  /** Null for all. */
  readonly configNames: readonly string[] | null;
}

interface Config {
  readonly name: string;
  readonly value: string;
  readonly isDefault: boolean;
}

interface Described extends Resource {
  readonly errorCode: number;
  readonly configs: readonly Config[];
}

const TOPIC = 2;
const BROKER = 4;
const SOURCE_TOPIC = 1;
const SOURCE_DEFAULT = 5;

/**
 * DescribeConfigs v0-2. Request: [type int8, name string, [config string]], include_synonyms boolean (v1+).
 * Response: throttle_time_ms int32, [error_code int16, error_message string, type int8, name string,
 *   [name string, value string, read_only boolean, is_default boolean (v0) | source int8 (v1+), is_sensitive boolean, [synonym] (v1+)]].
 */
export const describeConfigs: Api = defineApi<readonly Resource[], readonly Described[]>({
  key: 32,
  name: "DescribeConfigs",
  minVersion: 0,
  maxVersion: 2,
  decode(reader, version) {
    const resources = reader.array((item) => ({
      type: item.int8(),
      name: item.string(),
      configNames: item.nullableArray((config) => config.string()),
    }));
    if (version >= 1) reader.boolean();
    return resources;
  },
  targets: (resources) =>
    resources.map(({ type, name }) => (type === TOPIC ? { topic: name } : {})),
  apply: (resources, context) => resources.map((resource) => describe(resource, context)),
  encode(writer, answer, { version, throttleTimeMs }) {
    writer.int32(throttleTimeMs);
    writer.array(answer, (_, { errorCode, type, name, configs }) => {
      writer.int16(errorCode).string(null).int8(type).string(name);
      writer.array(configs, (entry, config) => {
        entry.string(config.name).string(config.value).boolean(false);
        if (version === 0) entry.boolean(config.isDefault);
        else entry.int8(config.isDefault ? SOURCE_DEFAULT : SOURCE_TOPIC);
        entry.boolean(false);
        if (version >= 1) entry.int32(0);
      });
    });
  },
});

function describe(resource: Resource, { state, faults }: ApiContext): Described {
  const { type, name, configNames } = resource;
  const refusal = faults.refusal(type === TOPIC ? { topic: name } : {});
  if (refusal !== undefined) return { ...resource, errorCode: refusal.errorCode, configs: [] };
  if (type === BROKER && name === String(NODE_ID)) {
    return { ...resource, errorCode: ERROR.none, configs: [] };
  }
  if (type !== TOPIC) return { ...resource, errorCode: ERROR.invalidRequest, configs: [] };
  const topic = state.topics.get(name);
  if (topic === undefined) {
    return { ...resource, errorCode: ERROR.unknownTopicOrPartition, configs: [] };
  }
  const given = [...topic.configs].map(([key, value]) => ({ name: key, value, isDefault: false }));
  const defaults = [
    { name: "cleanup.policy", value: "delete", isDefault: true },
    { name: "max.message.bytes", value: String(topic.maxMessageBytes), isDefault: true },
  ].filter((config) => !topic.configs.has(config.name));
  const configs = [...given, ...defaults].filter(
    (config) => configNames === null || configNames.includes(config.name),
  );
  return { ...resource, errorCode: ERROR.none, configs };
}
