import { FORGOTTEN, watchDeliveries } from "../forgotten.ts";
import type { MqttCollector } from "../mqtt-ends.ts";
import { BOTH, type Row, WITHIN_TWO_WINDOWS, WITHIN_WINDOW } from "../row.ts";
import type { Run } from "../run.ts";

async function away(run: Run): Promise<void> {
  await run.pause(0, 1000);
}

/** Kafka goes, in this way, and comes back. */
function withoutKafka(
  way: "stop" | "kill",
): Pick<Row, "directions" | "play" | "bound" | "boundInWords"> {
  return {
    directions: BOTH,
    ...WITHIN_TWO_WINDOWS,
    async play(run) {
      for await (const _ of run.moments(1)) {
        await run.world.kafka[way]();
        await away(run);
        await run.world.kafka.start();
        await run.recovered();
      }
    },
  };
}

export const kafkaRestart: Row = {
  name: "Kafka restart",
  does: "Kafka is told to stop, is away for up to a second, and starts again.",
  ...withoutKafka("stop"),
};

export const kafkaKill: Row = {
  name: "Kafka kill -9",
  does: "Kafka is killed, is away for up to a second, and starts again.",
  ...withoutKafka("kill"),
};

export const mosquittoRestart: Row = {
  name: "Mosquitto restart",
  does: `Mosquitto is told to stop, which makes it write its sessions and queues to disk, is away for up to a second, and starts again; three times. What it never handed to the bridge is counted as ${FORGOTTEN}: version 2.0.11 loses much of a long queue over a restart.`,
  directions: BOTH,
  ...WITHIN_WINDOW,
  async play(run) {
    const excuse = watchDeliveries(run);
    for await (const _ of run.moments(3)) {
      await run.world.mosquitto.stop();
      await away(run);
      await run.startMosquitto();
    }
    await excuse();
  },
};

export const mosquittoKill: Row = {
  name: "Mosquitto kill -9",
  does:
    "Mosquitto is killed, and starts again without sessions and queues, for it keeps them in memory; twice. What the proxy saw it acknowledge to the bridge, and what the " +
    `bridge had not acknowledged, is no loss of the bridge: it is counted as ${FORGOTTEN}. All that the bridge did acknowledge has to be in Kafka.`,
  directions: BOTH,
  ...WITHIN_WINDOW,
  async play(run) {
    const toMqtt = run.flow("toMqtt");
    const toKafka = run.flow("toKafka");
    const taken = new Set<number>();
    const acknowledged = new Set<number>();
    let subscribed: () => void = () => undefined;
    run.observer.watcher = {
      taken: (payload) => void taken.add(payload.readUInt32BE(0)),
      acknowledged: (payload) => void acknowledged.add(payload.readUInt32BE(0)),
      subscribed: () => subscribed(),
    };
    for await (const _ of run.moments(2)) {
      // nothing new goes to a broker that knows of no subscriber
      const { limit } = toKafka;
      toKafka.limit = 0;
      const collector = toMqtt.reader as MqttCollector;
      collector.sessionEnds();
      await run.world.mosquitto.kill();
      await run.world.mqttProxy.refuse();
      await away(run);
      await run.world.mosquitto.start();
      await collector.connected();
      for (const index of taken) toMqtt.account.excuseIndex(index, FORGOTTEN);
      const back = new Promise<void>((resolve) => {
        subscribed = resolve;
      });
      await run.world.mqttProxy.accept();
      const since = performance.now();
      await back;
      for (let index = 0; index < toKafka.account.sent; index += 1) {
        if (!acknowledged.has(index)) toKafka.account.excuseIndex(index, FORGOTTEN);
      }
      toKafka.limit = limit;
      await run.recovered(since);
    }
  },
};
