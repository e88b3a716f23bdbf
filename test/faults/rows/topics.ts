import type { KafkaReader, KafkaSource } from "../kafka-ends.ts";
import { BOTH, type Row, WITHIN_WINDOW } from "../row.ts";
import type { Run } from "../run.ts";

const DELETED = "deleted in Kafka before it was read";

export const topicRecreated: Row = {
  name: "topic deleted and recreated",
  does: "A topic that the bridge reads and one that it writes are deleted when all that was in them has arrived, and made again 0.5 to 1.5 s later. Messages for the second keep coming meanwhile. Twice.",
  directions: BOTH,
  ...WITHIN_WINDOW,
  async play(run) {
    const { toMqtt, toKafka } = { toMqtt: run.flow("toMqtt"), toKafka: run.flow("toKafka") };
    for await (const _ of run.moments(2)) {
      const read = run.random.pick(toMqtt.lanes.kafkaTopics);
      const written = run.random.pick(toKafka.lanes.kafkaTopics);
      toMqtt.avoid(read);
      toKafka.avoid(written);
      await Promise.all([toMqtt.drained(read), toKafka.drained(written)]);
      await run.world.admin((admin) => admin.deleteTopics({ topics: [read, written] }));
      toKafka.avoid();
      await run.pause(500, 1500);
      (toKafka.reader as KafkaReader).rewind(written);
      await run.createTopics([read, written]);
      toMqtt.avoid();
      await run.recovered();
    }
  },
};

/** Deletes records of one topic from its beginning until shortly before its end, and excuses what was not read of them. */
async function shorten(run: Run): Promise<void> {
  const { account, lanes, source } = run.flow("toMqtt");
  const { offsets } = source as KafkaSource;
  const topic = run.random.pick(lanes.kafkaTopics);
  await run.world.admin(async (admin) => {
    const ends = await admin.fetchTopicOffsets(topic);
    const partitions = ends.map(({ partition, high }) => ({
      partition,
      offset: String(Math.max(0, Number(high) - Math.round(run.random.between(0, 50)))),
    }));
    await admin.deleteTopicRecords({ topic, partitions });
    for (const index of account.missing()) {
      const lane = account.laneOf(index);
      if (lanes.kafkaTopics[lane] !== topic) continue;
      const limit = partitions.find(({ partition }) => partition === lanes.partitions[lane]);
      if ((offsets[index] as number) < Number(limit?.offset)) account.excuseIndex(index, DELETED);
    }
  });
}

export const offsetOutOfRange: Row = {
  name: "offset out of range",
  does: `While the bridge is dead, or hears nothing of Kafka, the oldest records of one topic are deleted, beyond its position; three times. What it had not read then is counted as ${DELETED}; all that was left has to arrive.`,
  directions: ["toMqtt"],
  ...WITHIN_WINDOW,
  async play(run) {
    const { account, source } = run.flow("toMqtt");
    const { offsets } = source as KafkaSource;
    for await (const _ of run.moments(3)) {
      const dead = run.random.pick([true, false]);
      if (dead) await run.killBridge();
      else run.world.kafkaProxy.pause();
      await run.pause(300, 900);
      // every record needs its offset, or nobody knows what is deleted
      await run.still(() => offsets.subarray(0, account.sent).every((offset) => offset >= 0));
      await shorten(run);
      run.goOn();
      const since = performance.now();
      if (dead) await run.startBridge();
      else run.world.kafkaProxy.heal();
      await run.recovered(since);
    }
  },
};
