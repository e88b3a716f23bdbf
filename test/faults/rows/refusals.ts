import kafkajs, { type AclOperationTypes as Operation } from "kafkajs";
import type { DeadLetter } from "../dead-letters.ts";
import { payloadOf, plainPublishes, plainRecords } from "../messages.ts";
import { isForbidden, poisonPublishes, poisonRecords } from "../poison.ts";
import { BOTH, NEVER, type Row, WITHIN_WINDOW } from "../row.ts";
import type { Run } from "../run.ts";

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

const LARGE_EVERY = 499;
const SINK_TAKES = 10_000;
const LARGE_PUBLISH = 2 * SINK_TAKES;
const MOSQUITTO_TAKES = 30_000;
const LARGE_RECORD = 2 * MOSQUITTO_TAKES;

const isLarge = (index: number): boolean => index % LARGE_EVERY === LARGE_EVERY - 1;

/** The same content, but that some messages are far larger. */
function withLarge(bytes: number): (index: number, copy: number) => Buffer {
  return (index, copy) => payloadOf(index, copy, isLarge(index) ? bytes : undefined);
}

const largeRecord = withLarge(LARGE_RECORD);
const largePublish = withLarge(LARGE_PUBLISH);

export const messageTooLarge: Row = {
  name: "message too large on either side",
  does: `Every ${LARGE_EVERY}th record has ${LARGE_RECORD} bytes, where Mosquitto takes ${MOSQUITTO_TAKES}, and every ${LARGE_EVERY}th PUBLISH ${LARGE_PUBLISH}, where the topics take ${SINK_TAKES}: each of them has to be dead-lettered, once, and no other.`,
  directions: BOTH,
  mosquitto: [`max_packet_size ${MOSQUITTO_TAKES}`],
  sinkConfig: { "max.message.bytes": String(SINK_TAKES) },
  records: {
    ...plainRecords,
    payload: largeRecord,
    record: (index, copy) => ({
      ...plainRecords.record(index, copy),
      value: largeRecord(index, copy),
    }),
  },
  publishes: {
    ...plainPublishes,
    payload: largePublish,
    publish: (index, copy) => ({
      ...plainPublishes.publish(index, copy),
      payload: largePublish(index, copy),
    }),
  },
  ...NEVER,
  expects({ direction, index, code }) {
    const wanted = direction === "toMqtt" ? "MQTT_PACKET_TOO_LARGE" : "KAFKA_MESSAGE_TOO_LARGE";
    return isLarge(index) && code === wanted ? "dead-lettered as too large" : undefined;
  },
  play: (run) => run.sendAll(),
};

export const poisonHeaders: Row = {
  name: "poison headers",
  does: "Headers and User Properties of every evil kind: not UTF-8, U+0000, names of Object.prototype, numbers as names, no name, 65 kB, hundreds at once, AMQP values cut short, names of the bridge's own headers. The messages have to arrive with what docs/mapping.md leaves of them. A few have line breaks in a header, on which Mosquitto ends the connection: each of these is found out and dead-lettered.",
  directions: BOTH,
  records: poisonRecords,
  publishes: poisonPublishes,
  ...WITHIN_WINDOW,
  expects({ direction, index, code }) {
    const wanted = direction === "toMqtt" && isForbidden(index) && code === "MQTT_REFUSED";
    return wanted ? "dead-lettered as refused by Mosquitto" : undefined;
  },
  async play(run) {
    const { size } = run.account("toMqtt");
    // the connection ends once on many messages, and once more on the one that is to blame
    for (let i = 0; i < size; i += 1) if (isForbidden(i)) run.strikes(2);
    await run.sendAll();
  },
};

/** The topics from which a right is withdrawn, in each run. */
function withdrawn({ name }: Run): {
  readonly published: string;
  readonly read: string;
  readonly sink: string;
} {
  return { published: `${name}-source-b`, read: `${name}-source-d`, sink: `${name}-sink-c` };
}

async function deny(run: Run, what: "read" | "sink"): Promise<void> {
  const rule = (resourceName: string, operation: Operation) => ({
    resourceType: AclResourceTypes.TOPIC,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    permissionType: AclPermissionTypes.DENY,
    principal: "User:ANONYMOUS",
    host: "*",
    ...{ resourceName, operation },
  });
  const operation = what === "read" ? AclOperationTypes.READ : AclOperationTypes.WRITE;
  const acl = [rule(withdrawn(run)[what], operation)];
  await run.world.admin((admin) => admin.createAcls({ acl }));
}

async function permit(run: Run): Promise<void> {
  const { read, sink } = withdrawn(run);
  const filter = (resourceName: string) => ({
    resourceType: AclResourceTypes.TOPIC,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    permissionType: AclPermissionTypes.DENY,
    operation: AclOperationTypes.ANY,
    resourceName,
  });
  await run.world.admin((admin) => admin.deleteAcls({ filters: [filter(read), filter(sink)] }));
}

export const authorizationWithdrawn: Row = {
  name: "authorization withdrawn for one topic",
  does: "For 1 to 2 s the bridge may not publish to one MQTT topic and not write to one Kafka topic: what it may not publish or write is dead-lettered, and everything else arrives. Later it may not read one Kafka topic for 1 to 2 s, and all arrives when it may again.",
  directions: BOTH,
  ...WITHIN_WINDOW,
  expects(letter, run) {
    return isWithdrawn(letter, run) ? "dead-lettered as not authorized" : undefined;
  },
  async play(run) {
    for await (const moment of run.moments(2)) {
      if (moment === 0) run.world.forbid([`out/${run.name}/${withdrawn(run).published}`]);
      await deny(run, moment === 0 ? "sink" : "read");
      // sending is held back until the fault is over: here it has to meet messages
      run.allow(moment === 0 ? 0.6 : 0.9);
      await run.pause(1000, 2000);
      if (moment === 0) await run.lettersOf(BOTH);
      run.world.forbid([]);
      await permit(run);
      await run.recovered();
    }
  },
};

function isWithdrawn({ direction, code, topic }: DeadLetter, run: Run): boolean {
  const { published, sink } = withdrawn(run);
  if (direction === "toMqtt") return code === "MQTT_NOT_AUTHORIZED" && topic === published;
  const { lanes } = run.flow("toKafka");
  const lane = lanes.mqttTopics.indexOf(topic);
  return code === "KAFKA_NOT_AUTHORIZED" && lanes.kafkaTopics[lane] === sink;
}
