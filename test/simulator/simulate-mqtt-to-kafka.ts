import { newCounters } from "../../shared/engine/status.ts";
import type { OutgoingRecord } from "../../shared/model/kafka-record.ts";
import type { Publish } from "../../shared/model/publish.ts";
import type { Batching } from "../../shared/model/route.ts";
import type { Translation } from "../../shared/model/translation.ts";
import { bytes, publish } from "../support/memory-ports.ts";
import { Random } from "../support/random.ts";
import { mqttToKafkaRoute } from "../support/routes.ts";
import type { Engine } from "./engine.ts";
import { drawFate } from "./fate.ts";
import { canDouble, drawFaults, type Faults, NO_FAULTS } from "./faults.ts";
import { type Hosted, Lifecycle } from "./lifecycle.ts";
import { MqttToKafkaHistory } from "./mqtt-to-kafka-history.ts";
import { idOf, SimProducer } from "./sim-producer.ts";
import { SimSession, SimSubscriber } from "./sim-subscriber.ts";
import { type Life, World } from "./world.ts";

const FAULTS_FOR_MS = 600;
const LIMIT_MS = 600_000;

/** An MQTT to Kafka route through one seed's faults. Returns what it did wrong. */
export function simulateMqttToKafka(
  engine: Engine,
  seed: number,
  trace?: string[],
): Promise<readonly string[]> {
  return new Simulation(engine, seed, trace).run();
}

class Simulation {
  private readonly engine: Engine;
  private readonly random: Random;
  private readonly world: World;
  private readonly faults: Faults;
  private readonly history: MqttToKafkaHistory;
  private readonly session = new SimSession();
  private readonly receiveMaximum: number;
  /** How many unacknowledged messages the broker delivers: some brokers exceed the Receive Maximum. */
  private readonly most: number;
  private readonly budgetBytes: number;
  private readonly batching: Batching;

  constructor(engine: Engine, seed: number, trace?: string[]) {
    this.engine = engine;
    const random = new Random(seed);
    this.random = random;
    this.world = new World(random, FAULTS_FOR_MS, trace);
    this.faults = random.chance(0.05) ? NO_FAULTS : drawFaults(random);
    this.history = new MqttToKafkaHistory(this.world);
    this.receiveMaximum = random.whole(1, 20);
    this.most = this.receiveMaximum + (random.chance(0.3) ? random.whole(1, 10) : 0);
    this.history.maxUnacknowledged = this.receiveMaximum;
    this.budgetBytes = random.pick([1, 2000, 1_000_000]);
    this.batching = {
      enabled: random.chance(0.7),
      latencyMs: random.whole(0, 30),
      maxMessages: random.whole(1, 12),
      maxBytes: random.pick([100, 1_000_000]),
    };
  }

  async run(): Promise<readonly string[]> {
    const { world, faults, history } = this;
    this.publish();
    const lifecycle = new Lifecycle({
      ...{ world, faults },
      violation: (text) => history.violation(text),
      host: (life, onFailed) => this.host(life, onFailed),
    });
    lifecycle.begin();
    const isOver = (): boolean => !world.hasFaults && history.isComplete;
    if (await world.run(isOver, LIMIT_MS)) await lifecycle.end();
    history.finish(canDouble(faults));
    return history.violations;
  }

  /** Messages come while the faults do. */
  private publish(): void {
    const { random, session, world, history } = this;
    const topics = random.whole(1, 3);
    const count = random.whole(10, 60);
    let delay = 0;
    for (let i = 0; i < count; i += 1) {
      delay += (random.next() * FAULTS_FOR_MS * 2) / count;
      const topicName = `line/${random.whole(1, topics)}`;
      const id = `${topicName} ${i}`;
      history.published(id, topicName, drawFate(random, this.faults, world.now + delay));
      const message = publish({ topicName, payload: bytes(id) });
      world.after(delay, () => session.publish(message));
    }
  }

  private host(life: Life, onFailed: () => void): Hosted {
    const { history, faults, engine, session, receiveMaximum, world } = this;
    const counters = newCounters();
    const log = (): void => undefined;
    const safe = (ids: readonly string[]): void => {
      for (const id of ids) history.safe(life, id);
    };
    const deadLetters = new engine.DeadLetters({
      ...{ clock: life, log },
      producer: new SimProducer({
        ...{ life, faults, safe },
        appended: (ids) => {
          for (const id of ids) history.deadLettered(id);
        },
        isForbidden: () => faults.brokenDeadLetters && world.hasFaults,
      }),
    });
    const producer = new SimProducer({
      ...{ life, faults, safe },
      sending: (ids) => {
        for (const id of ids) history.sending(id);
      },
      appended: (ids) => {
        for (const id of ids) history.appended(life, id);
      },
      isForbidden: (id) => history.fate(id) === "forbidden",
    });
    const route = new engine.MqttToKafka({
      route: mqttToKafkaRoute({ batching: this.batching }),
      translate: ({ publish: given }, context) => this.translate(life, given, context.now),
      subscription: { topicFilters: ["line/#"], qos: 1 },
      subscriber: new SimSubscriber({ life, session, history, faults, most: this.most }),
      ...{ producer, deadLetters, clock: life, log, counters, onFailed, receiveMaximum },
      budgetBytes: this.budgetBytes,
    });
    return { life, route, deadLetters, counters };
  }

  private translate(life: Life, given: Publish, now: number): Translation<OutgoingRecord> {
    const { history, world } = this;
    const id = idOf({ value: given.payload });
    if (now !== world.now) history.violation(`${id} was translated for another time`);
    const fate = history.fate(id);
    if (fate === "rejected")
      return { kind: "rejected", code: "KAFKA_TOPIC_INVALID", reason: "bad" };
    if (fate === "filtered" || history.hasExpired(id)) {
      life.effect(`ends ${id}`, () => {
        if (fate === "filtered") history.safe(life, id);
        else history.expired(life, id);
      });
      return { kind: fate === "filtered" ? "filtered" : "expired" };
    }
    return {
      kind: "translated",
      message: {
        ...{ topic: "destination", key: null, value: given.payload, headers: [] },
        partitioning: { by: "key" },
      },
      removed: [],
    };
  }
}
