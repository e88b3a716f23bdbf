import type { DeadLetter } from "./dead-letters.ts";
import type { Direction } from "./flow.ts";
import type { PublishContent, RecordContent } from "./messages.ts";
import type { Run } from "./run.ts";
import type { WorldOptions } from "./world.ts";

/** What a bound on duplicates is reckoned from. */
export interface BoundFacts {
  /** How often the fault struck. */
  readonly faults: number;
  /** Unacknowledged messages that a route may have. */
  readonly window: number;
  /** Sent in a second, in each direction. */
  readonly perSecond: number;
  /** Delivered to the bridge and not acknowledged when the fault struck, over all faults. */
  readonly inFlight: number;
  /** Delivered a second time by Mosquitto, which had no acknowledgement of them. */
  readonly redelivered: number;
}

/** One kind of fault: a row of the table in docs/reliability.md. */
export interface Row {
  readonly name: string;
  /** What happens in a run, for people. */
  readonly does: string;
  readonly directions: readonly Direction[];
  /** Messages a second in each direction. Default 10,000. */
  readonly perSecond?: number;
  /** Least number of messages in each direction, below which the fault could not happen. */
  readonly atLeast?: number;
  readonly window?: number;
  readonly instances?: number;
  readonly keepAliveSeconds?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** More arguments of `isthmus run`. */
  readonly args?: readonly string[];
  /** Global settings of Mosquitto. */
  readonly mosquitto?: readonly string[];
  /** Settings of the topics that the bridge writes to. */
  readonly sinkConfig?: Readonly<Record<string, string>>;
  /** For a world of its own. */
  readonly world?: () => WorldOptions & { close?(): void };
  readonly records?: RecordContent;
  readonly publishes?: PublishContent;
  /** Most duplicates of a run, by direction. */
  bound(facts: BoundFacts): Readonly<Record<Direction, number>>;
  /** The same in words. */
  readonly boundInWords: string;
  /** Most seconds until messages flow again; without it, until the run gives up. */
  readonly recoversWithin?: number;
  /** Why a dead letter is as it should be; undefined when it should not be. */
  expects?(letter: DeadLetter, run: Run): string | undefined;
  /** Makes the fault, or faults. */
  play(run: Run): Promise<void>;
}

export const BOTH: readonly Direction[] = ["toMqtt", "toKafka"];

type Bound = Pick<Row, "bound" | "boundInWords">;

/** To Kafka: what Mosquitto had delivered and had no acknowledgement of. It heeds no Receive Maximum, so that this is counted, not reckoned. */
const open = ({ inFlight, redelivered }: BoundFacts): number => inFlight + redelivered;

/** Without a fault there is no reason to send anything twice. */
export const NEVER: Bound = {
  bound: () => ({ toMqtt: 0, toKafka: 0 }),
  boundInWords: "none",
};

/** After a fault: to MQTT what was not acknowledged, or not committed, which is one window at the most (docs/operations.md, Duplicates). */
export const WITHIN_WINDOW: Bound = {
  bound: (facts) => ({ toMqtt: facts.faults * facts.window, toKafka: open(facts) }),
  boundInWords: "one window of 500 for each fault; to Kafka what Mosquitto had unacknowledged",
};

/** After a fault of Kafka, in which a member may lose the group a second time while it comes back, and a batch be written that was given up. */
export const WITHIN_TWO_WINDOWS: Bound = {
  bound: (facts) => ({
    toMqtt: 2 * facts.faults * facts.window,
    toKafka: open(facts) + facts.faults * facts.window,
  }),
  boundInWords:
    "two windows of 500 for each fault, as the group may be lost again while it is joined; to Kafka one, and what Mosquitto had unacknowledged",
};
