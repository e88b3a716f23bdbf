import { BOTH, type Row, WITHIN_TWO_WINDOWS, WITHIN_WINDOW } from "../row.ts";

const RESETS = 5;
const LATENCY_MS = 20_000;
const BYTES_PER_SECOND = 100_000;

export const connectionReset: Row = {
  name: "connection reset",
  does: `Every connection of the bridge to Kafka, to Mosquitto or to both is reset, ${RESETS} times.`,
  directions: BOTH,
  ...WITHIN_WINDOW,
  async play(run) {
    const { kafkaProxy, mqttProxy } = run.world;
    for await (const _ of run.moments(RESETS)) {
      const proxies = run.random.pick([[kafkaProxy], [mqttProxy], [kafkaProxy, mqttProxy]]);
      for (const proxy of proxies) proxy.reset();
      await run.recovered();
    }
  },
};

export const halfOpen: Row = {
  name: "half-open (blackhole) connections",
  does: "Every connection of the bridge to Kafka, to Mosquitto or to both carries nothing any more, without an end; new connections are well. Twice.",
  directions: BOTH,
  keepAliveSeconds: 5,
  ...WITHIN_TWO_WINDOWS,
  async play(run) {
    const { kafkaProxy, mqttProxy } = run.world;
    for await (const _ of run.moments(2)) {
      const proxies = run.random.pick([[kafkaProxy], [mqttProxy], [kafkaProxy, mqttProxy]]);
      for (const proxy of proxies) proxy.blackhole();
      await run.pause(0, 1000);
      for (const proxy of proxies) proxy.heal();
      await run.recovered();
    }
  },
};

export const latency: Row = {
  name: "20 s latency",
  does: `Every byte between the bridge and Kafka, Mosquitto or both takes ${LATENCY_MS / 1000} s longer in each direction, for 25 to 30 s.`,
  directions: BOTH,
  ...WITHIN_TWO_WINDOWS,
  async play(run) {
    const { kafkaProxy, mqttProxy } = run.world;
    for await (const _ of run.moments(1)) {
      const proxies = run.random.pick([[kafkaProxy], [mqttProxy], [kafkaProxy, mqttProxy]]);
      for (const proxy of proxies) proxy.delay(LATENCY_MS);
      await run.pause(25_000, 30_000);
      for (const proxy of proxies) proxy.heal();
      await run.recovered();
    }
  },
};

export const throttling: Row = {
  name: "throttling",
  does: `Every connection of the bridge passes ${BYTES_PER_SECOND / 1000} kB/s in each direction, far less than what comes, for 3 to 6 s.`,
  directions: BOTH,
  ...WITHIN_WINDOW,
  async play(run) {
    const { kafkaProxy, mqttProxy } = run.world;
    for await (const _ of run.moments(1)) {
      for (const proxy of [kafkaProxy, mqttProxy]) proxy.throttle(BYTES_PER_SECOND);
      await run.pause(3000, 6000);
      for (const proxy of [kafkaProxy, mqttProxy]) proxy.heal();
      await run.recovered();
    }
  },
};
