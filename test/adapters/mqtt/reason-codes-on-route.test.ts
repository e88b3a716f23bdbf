import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mqttPublisher } from "../../../shared/adapters/mqtt/mqtt-publisher.ts";
import { mqttSubscriber } from "../../../shared/adapters/mqtt/mqtt-subscriber.ts";
import { DeadLetters } from "../../../shared/engine/dead-letters.ts";
import { KafkaToMqtt } from "../../../shared/engine/kafka-to-mqtt.ts";
import { MqttToKafka } from "../../../shared/engine/mqtt-to-kafka.ts";
import type { PartitionOffset } from "../../../shared/engine/ports.ts";
import { newCounters, type RouteCounters } from "../../../shared/engine/status.ts";
import type { BridgeError } from "../../../shared/errors.ts";
import { publishToRecord } from "../../../shared/translate/publish-to-record.ts";
import { recordToPublish } from "../../../shared/translate/record-to-publish.ts";
import { bytes, MemoryProducer, MemorySource, record } from "../../support/memory-ports.ts";
import { endpointAt, memoryLog, quickClock } from "../../support/mqtt-bench.ts";
import type { AnyPacket } from "../../support/mqtt-packet.ts";
import {
  connack,
  type ScriptedConnection,
  ScriptServer,
} from "../../support/mqtt-script-server.ts";
import { expectedOf, type ReasonCodeRow } from "../../support/reason-codes.ts";
import { kafkaToMqttRoute, mqttToKafkaRoute } from "../../support/routes.ts";

/** What a row's verdict becomes: delivered in the end, or a dead letter. */
const fateOf = ({ verdict }: Pick<ReasonCodeRow, "verdict">): "delivered" | "dead letter" =>
  verdict === "dead-letter" ? "dead letter" : "delivered";

const refused = (packet: "CONNACK" | "SUBACK"): ReasonCodeRow[] =>
  expectedOf(packet).filter(({ verdict }) => verdict !== "success");

const journal = memoryLog();
let server: ScriptServer;
let stops: (() => Promise<void>)[];

beforeEach(async () => {
  server = await ScriptServer.open();
  stops = [];
  journal.entries.length = 0;
});

afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await server.close();
});

function expectLedger(c: RouteCounters): void {
  expect(c.received).toBe(
    c.delivered + c.expired + c.filtered + c.deadLettered + c.released + c.inFlight,
  );
  expect(c).toMatchObject({ inFlight: 0, inFlightBytes: 0 });
}

/** Says when the third record of the partition is committed. */
class AwaitedSource extends MemorySource {
  readonly allCommitted: Promise<"committed">;
  private resolve: (value: "committed") => void = () => undefined;

  constructor() {
    super();
    this.allCommitted = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  override async commit(offsets: readonly PartitionOffset[]): Promise<void> {
    await super.commit(offsets);
    if (this.committed("source", 0) === 3n) this.resolve("committed");
  }
}

const textOf = (packet: AnyPacket): string => String(packet["payload"]);

/** A Kafka to MQTT route between memory and the scripted server. */
function outward() {
  const clock = quickClock(2000);
  const source = new AwaitedSource();
  const letters = new MemoryProducer();
  const counters = newCounters();
  const { log } = journal;
  const failures: BridgeError[] = [];
  const route = kafkaToMqttRoute({ mqttTopic: "plant" });
  const engine = new KafkaToMqtt({
    route,
    translate: recordToPublish(route),
    source,
    publisher: mqttPublisher({
      endpoint: endpointAt(server.port),
      clientIdentifier: "outward",
      window: 10,
      log,
      clock,
    }),
    deadLetters: new DeadLetters({ producer: letters, clock, log }),
    clock,
    log,
    counters,
    budgetBytes: 1_000_000,
    commitIntervalMs: 100,
    onFailed: (error) => failures.push(error),
  });
  stops.push(() => engine.stop(0));
  /** Three records of one partition. */
  const feed = (): void => {
    engine.assigned([{ topic: "source", partition: 0 }]);
    const batch = ["0", "1", "2"].map((text, i) =>
      record({ offset: BigInt(i), value: bytes(text) }),
    );
    void engine.records(batch);
  };
  const lettersText = (): string[] =>
    letters.sent.map(({ value }) => new TextDecoder().decode(value ?? undefined));
  return { engine, source, counters, failures, feed, lettersText };
}

/** Answers everything on every connection until all is committed; `special` may do something else for the publish of "1". */
async function serve(
  first: ScriptedConnection,
  committed: Promise<"committed">,
  special: (connection: ScriptedConnection, publish: AnyPacket) => boolean,
): Promise<string[]> {
  const taken: string[] = [];
  let connection = first;
  for (;;) {
    const next = await Promise.race([
      connection.next("publish").catch(() => "closed" as const),
      committed,
    ]);
    if (next === "committed") return taken;
    if (next === "closed") {
      connection = await server.accept();
      await connection.welcome({}, true);
    } else if (textOf(next) !== "1" || !special(connection, next)) {
      taken.push(textOf(next));
      connection.puback(next["messageId"]);
    }
  }
}

describe("a Kafka to MQTT route does with every Reason Code what the table says (S-54)", () => {
  const besides = [
    { hex: "0x89", reasonCode: 0x89, verdict: "retry", code: "MQTT_BUSY" },
    { hex: "0x95", reasonCode: 0x95, verdict: "dead-letter", code: "MQTT_PACKET_TOO_LARGE" },
    { hex: "0xf0", reasonCode: 0xf0, verdict: "retry", code: "MQTT_REFUSED" },
  ] as const satisfies readonly ReasonCodeRow[];

  test.each([...expectedOf("PUBACK"), ...besides])("PUBACK $hex: $verdict", async (row) => {
    const { engine, source, counters, failures, feed, lettersText } = outward();
    const started = engine.start();
    const connection = await server.accept();
    await connection.welcome();
    await started;
    feed();
    let answered = 0;
    const taken = await serve(connection, source.allCommitted, (at, publish) => {
      if (answered > 0) return false;
      answered += 1;
      at.puback(publish["messageId"], row.reasonCode);
      return true;
    });
    const isLetter = fateOf(row) === "dead letter";
    expect(lettersText()).toEqual(isLetter ? ["1"] : []);
    expect(counters.delivered).toBe(isLetter ? 2 : 3);
    expect(counters.retried > 0).toBe(row.verdict === "retry");
    // what was refused for now comes again with all behind it, so that the last word stays the last
    if (row.verdict === "retry") expect(taken.slice(-2)).toEqual(["1", "2"]);
    if (isLetter) expect(counters.rejected).toEqual({ [row.code as string]: 1 });
    expect(failures).toEqual([]);
    expectLedger(counters);
  });

  test.each(expectedOf("DISCONNECT"))("DISCONNECT $hex at a message: $verdict", async (row) => {
    const { engine, source, counters, failures, feed, lettersText } = outward();
    const started = engine.start();
    const connection = await server.accept();
    await connection.welcome();
    await started;
    feed();
    let ended = 0;
    await serve(connection, source.allCommitted, (at) => {
      if (ended === 2) return false;
      ended += 1;
      at.send({ cmd: "disconnect", reasonCode: row.reasonCode });
      return true;
    });
    const isLetter = fateOf(row) === "dead letter";
    expect(ended).toBe(2);
    expect(lettersText()).toEqual(isLetter ? ["1"] : []);
    expect(counters.delivered).toBe(isLetter ? 2 : 3);
    const loud = row.verdict === "stop" || row.reasonCode === 0x8e;
    expect(journal.entries.some(({ level }) => level === "error")).toBe(loud);
    expect(failures).toEqual([]);
    expectLedger(counters);
  });

  test("one DISCONNECT is not enough to blame a message that was alone: credentials end too", async () => {
    const { engine, source, counters, feed, lettersText } = outward();
    const started = engine.start();
    const connection = await server.accept();
    await connection.welcome({ receiveMaximum: 1 });
    await started;
    feed();
    let ended = 0;
    await serve(connection, source.allCommitted, (at) => {
      if (ended === 1) return false;
      ended += 1;
      at.send({ cmd: "disconnect", reasonCode: 0x87 });
      return true;
    });
    expect(lettersText()).toEqual([]);
    expect(counters.delivered).toBe(3);
  });

  test.each(refused("CONNACK"))("CONNACK $hex at start: $verdict", async (row) => {
    const { engine } = outward();
    const started = engine.start();
    const ended = started.then(
      () => "started",
      (error: BridgeError) => error.code,
    );
    const connection = await server.accept();
    await connection.next("connect");
    connection.send(connack({ reasonCode: row.reasonCode }));
    if (row.verdict === "retry") await (await server.accept()).welcome();
    expect(await ended).toBe(row.verdict === "retry" ? "started" : row.code);
  });

  test.each(refused("CONNACK"))(
    "CONNACK $hex while running: tried until it passes, and nothing is lost",
    async (row) => {
      const { engine, source, counters, failures, feed, lettersText } = outward();
      const started = engine.start();
      const connection = await server.accept();
      await connection.welcome();
      await started;
      connection.reset();
      feed();
      for (let i = 0; i < 2; i += 1) {
        const refusing = await server.accept();
        await refusing.next("connect");
        refusing.send(connack({ reasonCode: row.reasonCode }));
      }
      const last = await server.accept();
      await last.welcome();
      await serve(last, source.allCommitted, () => false);
      expect(lettersText()).toEqual([]);
      expect(failures).toEqual([]);
      expect(journal.entries.some(({ level }) => level === "error")).toBe(row.verdict === "stop");
      expectLedger(counters);
    },
  );
});

/** An MQTT to Kafka route between the scripted server and memory. */
function inward() {
  const clock = quickClock(2000);
  const producer = new MemoryProducer();
  const counters = newCounters();
  const { log } = journal;
  const route = mqttToKafkaRoute();
  const engine = new MqttToKafka({
    route,
    translate: publishToRecord(route, 0),
    subscription: { topicFilters: ["factory/#"], qos: 1 },
    subscriber: mqttSubscriber({
      endpoint: endpointAt(server.port),
      clientIdentifier: "inward",
      receiveMaximum: 10,
      log,
      clock,
    }),
    producer,
    deadLetters: new DeadLetters({ producer: new MemoryProducer(), clock, log }),
    clock,
    log,
    counters,
    budgetBytes: 1_000_000,
    onFailed: () => undefined,
  });
  stops.push(() => engine.stop(0));
  return { engine, producer, counters };
}

describe("an MQTT to Kafka route does with every Reason Code what the table says (S-54)", () => {
  test.each(refused("SUBACK"))("SUBACK $hex at start: $verdict", async (row) => {
    const { engine } = inward();
    const ended = engine.start().then(
      () => "started",
      (error: BridgeError) => error.code,
    );
    const connection = await server.accept();
    await connection.welcome();
    await connection.grant(row.reasonCode);
    if (row.verdict === "retry") {
      const second = await server.accept();
      await second.welcome();
      await second.grant();
    }
    expect(await ended).toBe(row.verdict === "retry" ? "started" : row.code);
  });

  test.each(refused("SUBACK"))(
    "SUBACK $hex while running, after the session was lost: tried until it passes",
    async (row) => {
      const { engine, producer, counters } = inward();
      const started = engine.start();
      const connection = await server.accept();
      await connection.welcome();
      await connection.grant();
      await started;
      connection.reset();
      const second = await server.accept();
      await second.welcome();
      await second.grant(row.reasonCode);
      const third = await server.accept();
      await third.welcome();
      await third.grant();
      third.send({ cmd: "publish", topic: "factory/a", payload: "x", qos: 1, messageId: 7 });
      expect(await third.next("puback")).toMatchObject({ messageId: 7 });
      expect(producer.sent).toHaveLength(1);
      expect(journal.entries.some(({ level }) => level === "error")).toBe(row.verdict === "stop");
      expectLedger(counters);
    },
  );

  test.each(expectedOf("DISCONNECT").filter(({ reasonCode }) => reasonCode >= 0x80))(
    "DISCONNECT $hex: connected again, and what was unacknowledged comes once more",
    async (row) => {
      const { engine, producer, counters } = inward();
      const started = engine.start();
      const connection = await server.accept();
      await connection.welcome();
      await connection.grant();
      await started;
      connection.send({ cmd: "disconnect", reasonCode: row.reasonCode });
      const second = await server.accept();
      await second.welcome({}, true);
      second.send({ cmd: "publish", topic: "factory/a", payload: "x", qos: 1, messageId: 7 });
      expect(await second.next("puback")).toMatchObject({ messageId: 7 });
      expect(producer.sent).toHaveLength(1);
      expectLedger(counters);
    },
  );
});
