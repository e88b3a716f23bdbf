import { KafkaWire } from "../test/faults/kafka-wire.ts";
import { fill, type Load } from "./messages.ts";
import { runLoad } from "./native-load.ts";
import type { Stage } from "./run.ts";
import { startBridge } from "./running-bridge.ts";

/** One measurement of Kafka to MQTT at QoS 1. */
interface Point {
  readonly curve: string;
  /** What is varied, as text for the table. */
  readonly at: string;
  readonly topics?: number;
  readonly partitions?: number;
  readonly messages: number;
  readonly size?: number;
  readonly headers?: number;
  readonly instances?: number;
  readonly routes?: number;
  readonly qos?: 0 | 1;
}

interface Measured {
  readonly rate: number;
  readonly cpuMicros: number;
  readonly residentMb: number;
  readonly lost: number;
}

const MESSAGES = 100_000;
const MOST_SECONDS = 900;
const MEGABYTES = 200e6;

const points = (curve: string, of: readonly Omit<Point, "curve">[]): Point[] =>
  of.map((point) => ({ curve, ...point }));

const POINTS: readonly Point[] = [
  ...points(
    "partitions",
    [1, 2, 4, 8, 16].map((partitions) => ({ at: `${partitions}`, partitions, messages: MESSAGES })),
  ),
  ...points(
    "bytes of a message",
    [100, 1_000, 10_000, 100_000, 1_000_000].map((size) => ({
      ...{ at: size.toLocaleString("en"), size, messages: Math.min(MESSAGES, MEGABYTES / size) },
    })),
  ),
  ...points(
    "headers",
    [0, 3, 10, 50].map((headers) => ({ at: `${headers}`, headers, messages: MESSAGES })),
  ),
  ...points(
    "instances",
    [1, 2, 4].map((instances) => ({ at: `${instances}`, instances, messages: MESSAGES })),
  ),
  ...points(
    "topics of one regular expression",
    [1, 10, 100, 1_000].map((topics) => ({
      ...{ at: `${topics}`, topics, partitions: 1, messages: MESSAGES },
    })),
  ),
  ...points(
    "routes",
    [1, 10, 50, 200].map((routes) => ({
      ...{ at: `${routes}`, routes, topics: routes, partitions: 1, messages: MESSAGES },
    })),
  ),
  ...points(
    "backlog, QoS 0",
    [100_000, 1_000_000, 10_000_000].map((messages) => ({
      ...{ at: messages.toLocaleString("en"), messages, qos: 0 as const },
    })),
  ),
];

/** One curve after the other; `only` are parts of their names. */
export async function measureScaling(
  stage: Stage,
  only: readonly string[],
  say: (line: string) => void,
): Promise<string> {
  const chosen = POINTS.filter(({ curve }) => only.some((part) => curve.includes(part)));
  const lines: string[] = [];
  for (const [index, point] of chosen.entries()) {
    const { rate, cpuMicros, residentMb, lost } = await measure(stage, point, index);
    const megabytes = (rate * (point.size ?? stage.size)) / 1e6;
    const cells = [
      ...[point.curve, point.at, Math.round(rate).toLocaleString("en"), megabytes.toFixed(1)],
      ...[cpuMicros.toFixed(1), residentMb.toFixed(0), String(lost)],
    ];
    say(cells.join(" | "));
    lines.push(`| ${cells.join(" | ")} |`);
  }
  return [
    "| what is varied | | messages/s | MB/s | CPU us/message | resident MB | lost |",
    "|---|--:|--:|--:|--:|--:|--:|",
    ...lines,
  ].join("\n");
}

async function measure(stage: Stage, point: Point, index: number): Promise<Measured> {
  const { kafka, load: tool, url } = stage;
  const { topics = 1, partitions = 4, messages, qos = 1, instances = 1, routes } = point;
  const { size = stage.size, headers = 3 } = point;
  const name = `scaling-${index}-${process.pid}`;
  const names = Array.from({ length: topics }, (_, i) => `${name}-${i}`);
  const load: Load = { topics: names, partitions, messages, size, headers };
  await kafka.createTopics(names, partitions);
  const wire = new KafkaWire(kafka.port);
  await fill(wire, load);
  wire.close();
  const { port, host } = new URL(url);
  const root = `scaling/${index}`;
  const sub = runLoad(tool, ["sub", port, `${root}/#`, qos, messages, MOST_SECONDS]);
  await sub.ready;
  const bridge = startBridge({
    ...{ brokers: kafka.broker, mqtt: host, qos, direction: "k2m", instances },
    routes:
      routes === undefined
        ? [
            {
              source: topics === 1 ? (names[0] as string) : `^${name}-.*`,
              destination: `${root}/all`,
            },
          ]
        : names.map((source, i) => ({ source, destination: `${root}/${i}` })),
  });
  const { unique = 0, first, last } = await sub.report;
  const { cpuSeconds, residentMb } = bridge.usage();
  await bridge.stop();
  await kafka.deleteTopics(names);
  return {
    rate: ((unique - 1) / (last - first)) * 1000,
    cpuMicros: (cpuSeconds * 1e6) / Math.max(1, unique),
    residentMb,
    lost: messages - unique,
  };
}
