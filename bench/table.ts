import type { Outcome } from "./run.ts";

const CELLS = [
  { direction: "k2m", qos: 1 },
  { direction: "k2m", qos: 0 },
  { direction: "m2k", qos: 1 },
  { direction: "m2k", qos: 0 },
] as const;
const NAMES = { k2m: "Kafka to MQTT", m2k: "MQTT to Kafka" } as const;

export interface Row {
  readonly direction: "k2m" | "m2k";
  readonly qos: 0 | 1;
  readonly name: string;
  readonly runs: number;
  /** Medians. */
  readonly rate: number;
  readonly cpuMicros: number;
  readonly residentMb: number;
  /** Of ours to this one's rate, run by run, the median; undefined for ours. */
  readonly ratio: number | undefined;
  /** Worst of all runs. */
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly whole: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = 0, high = 0] = [sorted[middle - 1 + (sorted.length % 2)], sorted[middle]];
  return (low + high) / 2;
}

/** One row for each contender, direction and QoS. Ratios compare runs of the same round. */
export function rowsOf(outcomes: readonly Outcome[], messages: number): Row[] {
  return CELLS.flatMap(({ direction, qos }) => {
    const cell = outcomes.filter((one) => one.direction === direction && one.qos === qos);
    const ours = cell.filter(({ name }) => name === "isthmus");
    return [...new Set(cell.map(({ name }) => name))].map((name): Row => {
      const runs = cell.filter((one) => one.name === name);
      const ratios = runs.map(({ rate }, index) => (ours[index]?.rate ?? 0) / rate);
      return {
        ...{ direction, qos, name, runs: runs.length },
        rate: median(runs.map(({ rate }) => rate)),
        cpuMicros: median(runs.map(({ cpuMicros }) => cpuMicros)),
        residentMb: median(runs.map(({ residentMb }) => residentMb)),
        ratio: name === "isthmus" ? undefined : median(ratios),
        lost: Math.max(...runs.map(({ unique }) => messages - unique)),
        doubled: Math.max(...runs.map(({ doubled }) => doubled)),
        reordered: Math.max(...runs.map(({ reordered }) => reordered)),
        whole: Math.min(...runs.map(({ whole }) => whole)),
      };
    });
  });
}

export function markdown(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const process =
      row.name === "native" ? ["", ""] : [row.cpuMicros.toFixed(1), row.residentMb.toFixed(0)];
    const cells = [
      `${NAMES[row.direction]}, QoS ${row.qos}`,
      row.name,
      Math.round(row.rate).toLocaleString("en"),
      row.ratio === undefined ? "" : row.ratio.toFixed(2),
      ...process,
      String(row.lost),
      String(row.doubled),
      String(row.reordered),
      `${Math.round(row.whole * 100)} %`,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| direction | bridge | messages/s | Isthmus is faster by | CPU us/message | resident MB | lost | doubled | reordered | headers kept |",
    "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ...lines,
  ].join("\n");
}
