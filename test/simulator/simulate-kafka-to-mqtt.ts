import type { DeadLetters } from "../../shared/engine/dead-letters.ts";
import { newCounters } from "../../shared/engine/status.ts";
import type { KafkaRecord } from "../../shared/model/kafka-record.ts";
import type { Publish } from "../../shared/model/publish.ts";
import type { Translation } from "../../shared/model/translation.ts";
import { bytes, publish, record } from "../support/memory-ports.ts";
import { Random } from "../support/random.ts";
import { kafkaToMqttRoute } from "../support/routes.ts";
import type { Engine } from "./engine.ts";
import { drawFate } from "./fate.ts";
import { canDouble, drawFaults, type Faults, NO_FAULTS } from "./faults.ts";
import { KafkaToMqttHistory } from "./kafka-to-mqtt-history.ts";
import { type Hosted, Lifecycle } from "./lifecycle.ts";
import { idOf, SimProducer } from "./sim-producer.ts";
import { SimBroker, SimPublisher } from "./sim-publisher.ts";
import { SimSource, SimTopic } from "./sim-source.ts";
import { type Life, World } from "./world.ts";

const FAULTS_FOR_MS = 600;
const LIMIT_MS = 600_000;

/** A Kafka to MQTT route through one seed's faults. Returns what it did wrong. */
export function simulateKafkaToMqtt(
  engine: Engine,
  seed: number,
  trace?: string[],
): Promise<readonly string[]> {
  return new KafkaToMqttSimulation(engine, seed, trace).run();
}

export class KafkaToMqttSimulation {
  protected readonly engine: Engine;
  private readonly random: Random;
  private readonly world: World;
  protected readonly faults: Faults;
  protected readonly history: KafkaToMqttHistory;
  protected readonly topic: SimTopic;
  private readonly broker = new SimBroker();
  private readonly window: number;
  protected readonly budgetBytes: number;
  private readonly maxUncommitted: number;

  constructor(engine: Engine, seed: number, trace?: string[]) {
    this.engine = engine;
    this.random = new Random(seed);
    this.world = new World(this.random, FAULTS_FOR_MS, trace);
    this.faults = this.random.chance(0.05) ? NO_FAULTS : drawFaults(this.random);
    this.history = new KafkaToMqttHistory(this.world);
    this.topic = new SimTopic(this.random.whole(1, 3));
    this.window = this.random.whole(1, 20);
    this.budgetBytes = this.random.pick([1, 2000, 1_000_000]);
    this.maxUncommitted = this.random.whole(1, 30);
  }

  async run(): Promise<readonly string[]> {
    const { world, faults, history } = this;
    this.produce();
    const lifecycle = new Lifecycle({
      ...{ world, faults },
      violation: (text) => history.violation(text),
      host: (life, onFailed) => this.host(life, onFailed),
    });
    lifecycle.begin();
    const isOver = (): boolean => !world.hasFaults && history.isComplete;
    if (await world.run(isOver, LIMIT_MS)) await lifecycle.end();
    history.finish(this.mayDouble);
    return history.violations;
  }

  protected get mayDouble(): boolean {
    return canDouble(this.faults);
  }

  /** Records come while the faults do. */
  private produce(): void {
    const { random, topic, world, history } = this;
    const offsets = topic.partitions.map(() => 0n);
    const count = random.whole(10, 60);
    let delay = 0;
    for (let i = 0; i < count; i += 1) {
      delay += (random.next() * FAULTS_FOR_MS * 2) / count;
      const partition = random.whole(0, topic.partitions.length - 1);
      // after a transaction or a compaction offsets have holes
      const offset = (offsets[partition] ?? 0n) + (random.chance(0.1) ? 3n : 0n);
      offsets[partition] = offset + 1n;
      const id = `${partition}/${offset}`;
      const made = record({ partition, offset, value: bytes(id) });
      history.produced(made, id, drawFate(random, this.faults, world.now + delay));
      world.after(delay, () => topic.append(made));
    }
  }

  protected host(life: Life, onFailed: () => void): Hosted {
    const { history, faults, engine } = this;
    const counters = newCounters();
    const deadLetters = this.deadLetters(life);
    history.maxUncommitted = this.maxUncommitted;
    const route = new engine.KafkaToMqtt({
      route: kafkaToMqttRoute(),
      translate: (given, context) => this.translate(life, given, context.now),
      publisher: this.publisher(life),
      source: new SimSource(life, this.topic, history, faults),
      ...{ deadLetters, clock: life, log: () => undefined, counters, onFailed },
      budgetBytes: this.budgetBytes,
      maxUncommitted: this.maxUncommitted,
      commitIntervalMs: 20,
    });
    return { life, route, deadLetters, counters };
  }

  protected publisher(life: Life): SimPublisher {
    const { history, faults, broker, window } = this;
    const isForbidden = (id: string): boolean => history.fate(id) === "forbidden";
    return new SimPublisher({ life, broker, history, faults, window, isForbidden });
  }

  protected deadLetters(life: Life): DeadLetters {
    const { history, faults, world } = this;
    const producer = new SimProducer({
      ...{ life, faults },
      appended: (ids) => {
        for (const id of ids) history.deadLettered(id);
      },
      safe: (ids) => {
        for (const id of ids) history.safe(life, id);
      },
      isForbidden: () => faults.brokenDeadLetters && world.hasFaults,
    });
    return new this.engine.DeadLetters({ producer, clock: life, log: () => undefined });
  }

  protected translate(life: Life, given: KafkaRecord, now: number): Translation<Publish> {
    const { history, world } = this;
    const id = idOf(given);
    if (now !== world.now) history.violation(`${id} was translated for another time`);
    const fate = history.fate(id);
    if (fate === "rejected") return { kind: "rejected", code: "TOPIC_NAME_INVALID", reason: "bad" };
    if (fate === "filtered" || history.hasExpired(id)) {
      life.effect(`ends ${id}`, () => {
        if (fate === "filtered") history.safe(life, id);
        else history.expired(life, id);
      });
      return { kind: fate === "filtered" ? "filtered" : "expired" };
    }
    return {
      kind: "translated",
      message: publish({ topicName: "a", payload: bytes(id) }),
      removed: [],
    };
  }
}
