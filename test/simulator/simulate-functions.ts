import type { BatchHandler } from "../../shared/engine/record-handler.ts";
import { newCounters } from "../../shared/engine/status.ts";
import type { KafkaRecord } from "../../shared/model/kafka-record.ts";
import { kafkaToMqttRoute } from "../support/routes.ts";
import type { Engine } from "./engine.ts";
import type { Faults } from "./faults.ts";
import type { KafkaToMqttHistory } from "./kafka-to-mqtt-history.ts";
import type { Hosted } from "./lifecycle.ts";
import type { SimTopic } from "./sim-source.ts";
import { KafkaToMqttSimulation } from "./simulate-kafka-to-mqtt.ts";
import type { Life } from "./world.ts";

/** The same route on the Functions host: batches come from a trigger, which commits and tries again by itself. */
export function simulateFunctions(
  engine: Engine,
  seed: number,
  trace?: string[],
): Promise<readonly string[]> {
  return new FunctionsSimulation(engine, seed, trace).run();
}

class FunctionsSimulation extends KafkaToMqttSimulation {
  /** An invocation that is not over when its host goes is repeated by the next. */
  protected override get mayDouble(): boolean {
    return super.mayDouble || this.faults.stopsEveryMs < Number.POSITIVE_INFINITY;
  }

  protected override host(life: Life): Hosted {
    // after a transient refusal the successors go again, behind what was refused
    this.history.isRemembered = this.faults.refusals === 0;
    const counters = newCounters();
    const deadLetters = this.deadLetters(life);
    const handler = new this.engine.BatchHandler({
      route: kafkaToMqttRoute(),
      translate: (given, context) => this.translate(life, given, context.now),
      publisher: this.publisher(life),
      ...{ deadLetters, clock: life, log: () => undefined, counters },
      budgetBytes: this.budgetBytes,
    });
    const trigger = new SimTrigger(life, this.topic, this.history, this.faults);
    const route = {
      async start(): Promise<void> {
        await handler.start();
        trigger.start(handler);
      },
      async stop(drainMs: number): Promise<void> {
        await trigger.stop();
        await handler.stop(drainMs);
      },
    };
    return { life, route, deadLetters, counters };
  }
}

/** A trigger: one batch of a partition at a time, the same again after an error, the checkpoint after success. */
class SimTrigger {
  private readonly life: Life;
  private readonly topic: SimTopic;
  private readonly history: KafkaToMqttHistory;
  private readonly faults: Faults;
  private isStopped = false;
  private invocations = 0;

  constructor(life: Life, topic: SimTopic, history: KafkaToMqttHistory, faults: Faults) {
    this.life = life;
    this.topic = topic;
    this.history = history;
    this.faults = faults;
  }

  start(handler: BatchHandler): void {
    for (const partition of this.topic.partitions.keys()) void this.read(handler, partition);
  }

  /** The host lets invocations end before it goes. */
  async stop(): Promise<void> {
    this.isStopped = true;
    for (let i = 0; i < 20 && this.invocations > 0; i += 1) await this.life.world.wait(10);
  }

  private async read(handler: BatchHandler, partition: number): Promise<void> {
    const { world } = this.life;
    let position = this.history.committed(partition);
    while (this.life.alive && !this.isStopped) {
      const batch = await this.topic.read(partition, position, world.random.whole(1, 12));
      const last = batch.at(-1);
      if (last === undefined || !(await this.invokeUntilDone(handler, batch))) return;
      position = last.offset + 1n;
      await this.checkpoint(partition, position);
    }
  }

  private async invokeUntilDone(handler: BatchHandler, batch: KafkaRecord[]): Promise<boolean> {
    const { world } = this.life;
    while (this.life.alive && !this.isStopped) {
      this.invocations += 1;
      try {
        await handler.deliver(batch, world.random.whole(5, 100));
        return this.life.alive;
      } catch (error) {
        world.note(`${this.life.name} could not deliver: ${String(error)}`);
      } finally {
        this.invocations -= 1;
      }
      await world.wait(5 + world.random.next() * 20);
    }
    return false;
  }

  /** Tried again until it is stored; the life may end before. */
  private checkpoint(partition: number, offset: bigint): Promise<void> {
    const { life, faults, history } = this;
    return new Promise((resolve) => {
      life.effect(`checkpoints ${partition}:${offset}`, () => {
        life.world.after(life.random() * 3, () => {
          const isStored = !life.world.fault(faults.failedCommits);
          if (isStored) history.commit(life, partition, offset);
          if (!life.alive) return;
          if (isStored) resolve();
          else void this.checkpoint(partition, offset).then(resolve);
        });
      });
    });
  }
}
