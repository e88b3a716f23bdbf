import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type RunnerProcess, startRunner } from "../e2e/runner-process.ts";
import { freePorts } from "../support/free-ports.ts";
import { Random } from "../support/random.ts";
import type { Account, Outcome } from "./account.ts";
import { type DeadLetter, deadLetterOf } from "./dead-letters.ts";
import { type Direction, Flow } from "./flow.ts";
import { KafkaReader } from "./kafka-ends.ts";
import { writeRunManifests } from "./manifests.ts";
import { plainPublishes, plainRecords } from "./messages.ts";
import { countersOf, ledgerProblem } from "./metrics.ts";
import { MqttObserver } from "./mqtt-observer.ts";
import { consumerGroup, deadLetterTopic, lanesToKafka, lanesToMqtt, PARTITIONS } from "./names.ts";
import type { Row } from "./row.ts";
import type { World } from "./world.ts";

export interface RunOptions {
  readonly world: World;
  readonly row: Row;
  readonly seed: number;
  /** In all directions together. */
  readonly messages: number;
}

export interface RunResult {
  readonly row: string;
  readonly seed: number;
  readonly messages: number;
  readonly outcomes: Readonly<Partial<Record<Direction, Outcome>>>;
  readonly bounds: Readonly<Record<Direction, number>>;
  /** From the end of each fault until a message has arrived that was sent after it. */
  readonly recoverySeconds: readonly number[];
  readonly seconds: number;
  /** Why the run has failed; empty when it has not. */
  readonly problems: readonly string[];
}

const WINDOW = 500;
const PER_SECOND = 10_000;
const RUN_LIMIT_MS = 420_000;
const RECOVERY_LIMIT_MS = 120_000;
const FINISH_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 15_000;
const REST_LIMIT_MS = 10_000;
const LETTERS_LIMIT_MS = 10_000;
const LEADERS_LIMIT_MS = 20_000;
/** Of the messages of a part, these may be sent before the fault in it is over. */
const BEFORE_FAULT = 0.9;

/** Resolves to whether `work` ended within `ms`. */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const ended = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return ended;
}

/** One run of a row: the bridge, the messages of both directions, and the hand that makes the faults. */
export class Run {
  readonly world: World;
  readonly row: Row;
  readonly random: Random;
  readonly name: string;
  readonly problems: string[] = [];
  readonly letters: DeadLetter[] = [];
  readonly window: number;
  readonly perSecond: number;
  readonly observer: MqttObserver = new MqttObserver();
  flows: readonly Flow[] = [];
  private faults = 0;
  private inFlight = 0;
  private readonly options: RunOptions;
  private readonly folder: string;
  private readonly recoveries: number[] = [];
  private deadLetters: KafkaReader | undefined;
  private runner: RunnerProcess | undefined;
  private httpPort = 0;
  private mayEnd = false;
  /** Ends {@link still}. */
  goOn: () => void = () => undefined;
  private abort: (error: Error) => void = () => undefined;

  constructor(options: RunOptions) {
    this.options = options;
    this.world = options.world;
    this.row = options.row;
    this.random = new Random(options.seed);
    this.name = `r${randomUUID().slice(0, 8)}`;
    this.window = options.row.window ?? WINDOW;
    this.perSecond = options.row.perSecond ?? PER_SECOND;
    this.folder = mkdtempSync(join(options.world.folder, "run-"));
  }

  async play(): Promise<RunResult> {
    const started = performance.now();
    const aborted = new Promise<never>((_, reject) => {
      this.abort = reject;
    });
    const timer = setTimeout(() => this.abort(new Error("the run took too long")), RUN_LIMIT_MS);
    try {
      await Promise.race([this.playOut(), aborted]);
    } catch (error) {
      this.problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    } finally {
      clearTimeout(timer);
      this.mayEnd = true;
      await this.close();
    }
    return this.result((performance.now() - started) / 1000);
  }

  private async playOut(): Promise<void> {
    await this.prepare();
    for (const flow of this.flows) flow.start();
    await this.row.play(this);
    await this.finish();
  }

  flow(direction: Direction): Flow {
    const found = this.flows.find((flow) => flow.direction === direction);
    if (found === undefined) throw new RangeError(`The run has no messages ${direction}`);
    return found;
  }

  account(direction: Direction): Account {
    return this.flow(direction).account;
  }

  /**
   * Moments for `count` faults, each at random in its part of the run. Sending does not go beyond that part before the next is asked for,
   * so that every fault has messages before it and after it.
   */
  async *moments(count: number): AsyncGenerator<number> {
    for (let part = 0; part < count; part += 1) {
      const at = (part + this.random.between(0.2, 0.8)) / (count + 1);
      this.allow((part + BEFORE_FAULT) / (count + 1));
      await this.sent(at);
      this.allow((part + 1) / (count + 1));
      this.strikes();
      yield part;
    }
    this.allow(1);
  }

  /** A fault begins now: what is in flight may come twice. */
  strikes(times = 1): void {
    this.faults += times;
    this.inFlight += this.observer.inFlight;
  }

  /** Lets this part of the messages be sent. */
  allow(part: number): void {
    for (const flow of this.flows) flow.limit = Math.ceil(flow.account.size * Math.min(1, part));
  }

  /** Resolves when this part of the messages of each direction is sent. */
  async sent(part: number): Promise<void> {
    while (this.flows.some(({ account }) => account.sent < account.size * part)) await pause(2);
  }

  /** The fault is over, or was at `since`: resolves when messages that are sent from then on, or from now on, arrive in each direction. */
  async recovered(since: number = performance.now(), from: "then" | "now" = "then"): Promise<void> {
    const { flows } = this;
    const sentFrom = from === "now" ? performance.now() : since;
    for (const flow of flows) {
      const { size, sent } = flow.account;
      // something has to be sent to be seen
      flow.limit = Math.min(size, Math.max(flow.limit, sent + Math.ceil(size / 100)));
    }
    const flowing = Promise.all(flows.map((flow) => flow.account.flowsSince(sentFrom)));
    if (await within(RECOVERY_LIMIT_MS, flowing)) {
      this.recoveries.push((Math.max(...(await flowing)) - since) / 1000);
    } else this.problems.push(`nothing flowed ${RECOVERY_LIMIT_MS / 1000} s after the fault`);
  }

  /** What is not as it should be, besides what the accounts say. */
  note(problem: string): void {
    this.problems.push(problem);
  }

  pause(fromMs: number, toMs: number): Promise<void> {
    return pause(this.random.between(fromMs, toMs));
  }

  async startBridge(): Promise<void> {
    const runner = await this.newRunner(
      join(this.folder, "manifests"),
      this.httpPort,
      this.row.args,
    );
    this.runner = runner;
    this.mayEnd = false;
    void runner.ended.then((how) => {
      if (!this.mayEnd) this.abort(new Error(`the bridge ended by itself with ${how}`));
    });
  }

  /** A bridge more, of the same manifests or others. */
  newRunner(
    manifests: string,
    httpPort: number,
    more: readonly string[] = [],
  ): Promise<RunnerProcess> {
    const args = ["--http", String(httpPort), ...more];
    const env = this.row.env ?? {};
    return startRunner(manifests, join(this.folder, "secrets"), { args, env });
  }

  /** Ends the bridge without warning. */
  async killBridge(): Promise<void> {
    await this.checkLedger();
    this.mayEnd = true;
    this.runner?.signal("SIGKILL");
    await this.runner?.ended;
  }

  signalBridge(signal: "SIGUSR2"): void {
    this.runner?.signal(signal);
  }

  log(): string {
    return this.runner?.log() ?? "";
  }

  /** The counters of a bridge; each set of them has to add up. */
  async checkLedger(port: number = this.httpPort): Promise<{ readonly inFlight: number }> {
    const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const routes = countersOf(page);
    if (routes.size === 0) this.note("the bridge shows no counters");
    let inFlight = 0;
    for (const [route, counters] of routes) {
      const problem = ledgerProblem(route, counters);
      if (problem !== undefined) this.note(problem);
      inFlight += counters["in_flight"] ?? 0;
    }
    return { inFlight };
  }

  /** Writes manifests of these directions and returns their folder. */
  writeManifests(name: string, directions: readonly Direction[]): string {
    const folder = join(this.folder, name);
    writeRunManifests(folder, {
      run: this.name,
      toMqtt: directions.includes("toMqtt"),
      toKafka: directions.includes("toKafka"),
      kafka: `127.0.0.1:${this.world.kafkaProxy.port}`,
      mqtt: `127.0.0.1:${this.world.mqttProxy.port}`,
      window: this.window,
      instances: this.row.instances ?? 1,
      keepAliveSeconds: this.row.keepAliveSeconds ?? 60,
    });
    return folder;
  }

  /** Topics of this run; resolves when each has its leaders. */
  async createTopics(topics: readonly string[]): Promise<void> {
    const sinks = new Set(lanesToKafka(this.name).kafkaTopics);
    const config = Object.entries(this.row.sinkConfig ?? {});
    await this.world.admin(async (admin) => {
      await admin.createTopics({
        topics: topics.map((topic) => ({
          ...{ topic, numPartitions: PARTITIONS, replicationFactor: 1 },
          configEntries: sinks.has(topic) ? config.map(([name, value]) => ({ name, value })) : [],
        })),
      });
      const until = performance.now() + LEADERS_LIMIT_MS;
      const led = async (): Promise<boolean> => {
        const asked = { topics: [...topics] };
        const { topics: all } = await admin.fetchTopicMetadata(asked);
        return all.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
      };
      while (!(await led().catch(() => false))) {
        if (performance.now() > until) throw new Error("the topics have no leaders");
        await pause(20);
      }
    });
  }

  /** With these global settings besides the usual ones. */
  async restartMosquitto(lines: readonly string[]): Promise<void> {
    await this.world.mosquitto.stop();
    await this.world.configureMosquitto(lines);
    await this.world.mosquitto.start();
  }

  /** Starts it again; resolves when messages flow that are sent after the bridge is back: of those before, it may forget some. */
  async startMosquitto(): Promise<void> {
    const back = this.observer.welcomes(this.row.directions.length);
    await this.world.mosquitto.start();
    const since = performance.now();
    await back;
    await this.recovered(since, "now");
  }

  /** Resolves when a message of each direction is dead-lettered. */
  async lettersOf(directions: readonly Direction[]): Promise<void> {
    const until = performance.now() + LETTERS_LIMIT_MS;
    for (const direction of directions) {
      while (!this.letters.some((letter) => letter.direction === direction)) {
        if (performance.now() > until) throw new Error(`nothing was refused ${direction}`);
        await pause(20);
      }
    }
  }

  /** Everything is sent, without a fault. */
  async sendAll(): Promise<void> {
    this.allow(1);
    await this.sent(1);
  }

  /** Sends nothing until {@link goOn}; resolves when `reached` holds. */
  async still(reached: () => boolean): Promise<void> {
    const limits = this.flows.map(({ limit }) => limit);
    this.goOn = () => {
      for (const [i, flow] of this.flows.entries()) flow.limit = limits[i] as number;
    };
    this.allow(0);
    while (!reached()) await pause(5);
  }

  private async prepare(): Promise<void> {
    const { world, row, name, observer } = this;
    world.mqttProxy.observe = () => observer.observe();
    if (row.mosquitto !== undefined) await this.restartMosquitto(row.mosquitto);
    await this.createTopics([
      ...new Set([...lanesToMqtt(name).kafkaTopics, ...lanesToKafka(name).kafkaTopics]),
      deadLetterTopic(name),
    ]);
    this.deadLetters = new KafkaReader(world.kafkaPort, [deadLetterTopic(name)], (record) => {
      const letter = deadLetterOf(record);
      if (letter === undefined) this.note("a dead letter holds none of the messages");
      else this.deadLettered(letter);
    });
    this.deadLetters.start();
    const messages = Math.max(
      row.atLeast ?? 0,
      Math.ceil(this.options.messages / row.directions.length),
    );
    const options = { world, run: name, messages, perSecond: this.perSecond };
    this.flows = await Promise.all(
      row.directions.map((direction) =>
        direction === "toMqtt"
          ? Flow.toMqtt(options, row.records ?? plainRecords)
          : Flow.toKafka(options, row.publishes ?? plainPublishes),
      ),
    );
    this.writeManifests("manifests", row.directions);
    [this.httpPort = 0] = await freePorts(1);
    await this.startBridge();
  }

  private deadLettered(letter: DeadLetter): void {
    const again = this.letters.some(
      ({ index, direction }) => index === letter.index && direction === letter.direction,
    );
    if (again && this.faults === 0) this.note(`message ${letter.index} is dead-lettered twice`);
    this.letters.push(letter);
    const reason = this.row.expects?.(letter, this);
    if (reason !== undefined) this.account(letter.direction).deadLetter(letter.index, reason);
    else this.note(`message ${letter.index} ${letter.direction} is dead-lettered: ${letter.code}`);
  }

  private async finish(): Promise<void> {
    this.allow(1);
    const all = Promise.all(
      this.flows.map(async (flow) => {
        await flow.allSent();
        await flow.account.until(() => flow.account.complete);
      }),
    );
    if (!(await within(FINISH_LIMIT_MS, all))) {
      this.note("not all had arrived in time");
    }
    await this.checkRest();
    this.mayEnd = true;
    this.runner?.signal("SIGTERM");
    const stopped = this.runner?.ended ?? Promise.resolve(0);
    if (!(await within(STOP_LIMIT_MS, stopped))) this.note("the bridge did not stop in time");
    else if ((await stopped) !== 0) this.note(`the bridge ended with ${await stopped}`);
    if (this.row.directions.includes("toMqtt")) await this.checkCommitted();
  }

  /** When all has arrived, nothing is in flight any more. */
  private async checkRest(): Promise<void> {
    const until = performance.now() + REST_LIMIT_MS;
    for (;;) {
      const { inFlight } = await this.checkLedger();
      if (inFlight === 0) return;
      if (performance.now() > until) {
        this.note(`${inFlight} messages are in flight though all have arrived`);
        return;
      }
      await pause(50);
    }
  }

  /** After a stop the group stands at the end of every partition: nothing is read twice at the next start. */
  private async checkCommitted(): Promise<void> {
    const topics = [...new Set(lanesToMqtt(this.name).kafkaTopics)];
    await this.world.admin(async (admin) => {
      const groups = await admin.fetchOffsets({ groupId: consumerGroup(this.name), topics });
      for (const { topic, partitions } of groups) {
        const ends = await admin.fetchTopicOffsets(topic);
        for (const { partition, offset } of partitions) {
          const end = ends.find((at) => at.partition === partition)?.high ?? "0";
          if (Number(offset) === Number(end) || (end === "0" && offset === "-1")) continue;
          this.note(`partition ${partition} of ${topic} is committed to ${offset} of ${end}`);
        }
      }
    });
  }

  private async close(): Promise<void> {
    this.runner?.signal("SIGKILL");
    for (const proxy of this.world.proxies) proxy.heal();
    await Promise.all(this.flows.map((flow) => flow.close()));
    await this.deadLetters?.close();
    if (this.row.mosquitto !== undefined) await this.restartMosquitto([]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private result(seconds: number): RunResult {
    const { row, faults, window, perSecond, inFlight } = this;
    const { redelivered } = this.observer;
    const bounds = row.bound({ faults, window, perSecond, inFlight, redelivered });
    const outcomes = Object.fromEntries(
      this.flows.map(({ direction, account }) => [direction, account.outcome()]),
    ) as Partial<Record<Direction, Outcome>>;
    const problems = [...this.problems];
    for (const direction of row.directions) {
      const outcome = outcomes[direction];
      if (outcome === undefined) continue;
      const { lost, reordered, duplicates, wrong } = outcome;
      if (lost > 0) problems.push(`${lost} lost ${direction}`);
      if (reordered > 0) problems.push(`${reordered} reordered ${direction}`);
      problems.push(...wrong.map((text) => `${direction}: ${text}`));
      if (duplicates > bounds[direction]) {
        problems.push(`${duplicates} duplicates ${direction}, above ${bounds[direction]}`);
      }
    }
    const slowest = Math.max(0, ...this.recoveries);
    if (slowest > (row.recoversWithin ?? Number.POSITIVE_INFINITY)) {
      problems.push(`it took ${slowest} s until messages flowed again`);
    }
    return {
      row: row.name,
      seed: this.options.seed,
      messages: this.flows.reduce((sum, { account }) => sum + account.sent, 0),
      outcomes,
      bounds,
      recoverySeconds: this.recoveries.map((value) => Math.round(value * 1000) / 1000),
      seconds: Math.round(seconds * 10) / 10,
      problems,
    };
  }
}
