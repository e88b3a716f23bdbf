/** Where a bridge's CPU time goes, by what it is spent on. */
import { type Frame, timeBy } from "./cpu-profile.ts";

const START = "start and loading of modules";
/** Counts as start; so does all that a module does while it is loaded, whatever it is for later. */
const LOADING = "loading";
const OTHERS = "others";
const WRITES = "socket writes";
const READS = "socket reads";

/** What the time of a file's functions is spent on, the first rule that fits. Files that no rule names work for their callers. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/^node:internal\/(modules|bootstrap|main)/, LOADING],
  [/^(local|shared\/(manifests|plan|secrets))\//, START],
  [/^(yaml|zod)\//, START],
  [/^shared\/wire\/kafka-(message-decoder|record-(decoder|reader|set))/, "decoding of records"],
  [/^shared\/adapters\/kafka\/fetch-response/, "decoding of records"],
  [/^shared\/wire\/kafka-(record-encoder|murmur2)/, "encoding of records"],
  [/^shared\/adapters\/kafka\/(produce-request|record-groups)/, "encoding of records"],
  [/^shared\/(translate|topics|expressions)\//, "translation"],
  [/^shared\/wire\/mqtt-publish-encoder/, "encoding of PUBLISH"],
  [/^shared\/wire\/mqtt-(publish-decoder|frames|control)/, "decoding of MQTT packets"],
  [/^shared\/engine\//, "engine"],
  [/^shared\/adapters\//, "adapters"],
  [/^kafkajs\//, "kafkajs"],
  [/^mqtt(-packet)?\//, "mqtt"],
];
const ROWS = new Set([
  ...[START, "garbage collection", WRITES, READS],
  ...RULES.map(([, kind]) => kind),
  OTHERS,
]);

/** Natives of a socket that write; Buffer's are called otherwise. */
const WRITE_CALL = /^(writev|write(Buffer|Utf8String|Latin1String|AsciiString|Ucs2String))$/;
/** Node.js' own way to them. */
const WRITE_PATH = /^node:(net|internal\/(streams\/writable|stream_base_commons))$/;
const READ_PATH = /^node:internal\/(streams\/readable|stream_base_commons)$/;

/** Shares of 1 by what the time went to. */
export function cpuShares(tree: Frame): Map<string, number> {
  const times = timeBy(tree, kindOf, OTHERS);
  const start = (times.get(START) ?? 0) + (times.get(LOADING) ?? 0);
  times.delete(LOADING);
  times.set(START, start);
  return new Map([...times].map(([kind, time]) => [kind, time / tree.total]));
}

function kindOf({ name, file, owner }: Frame, caller: string): string | undefined {
  if (owner === "gc") return "garbage collection";
  if (caller === LOADING) return LOADING;
  if (file === "" && WRITE_CALL.test(name)) return WRITES;
  if (WRITE_PATH.test(file) && /write|cork/i.test(name)) return WRITES;
  if (READ_PATH.test(file) && /read/i.test(name)) return READS;
  return RULES.find(([path]) => path.test(file))?.[1];
}

/** A column for each profile, a row for each use that has half a percent in one of them; the rest is with the others. */
export function sharesTable(columns: ReadonlyMap<string, ReadonlyMap<string, number>>): string {
  const shares = [...columns.values()].map(withoutSmall);
  const rows = [...ROWS].filter((row) => shares.some((column) => column.has(row)));
  const cell = (share = 0): string => `${(share * 100).toFixed(1)} %`;
  return [
    `| CPU time goes to | ${[...columns.keys()].join(" | ")} |`,
    `|---|${"--:|".repeat(columns.size)}`,
    ...rows.map(
      (row) => `| ${[row, ...shares.map((column) => cell(column.get(row)))].join(" | ")} |`,
    ),
  ].join("\n");
}

const SMALL = 0.005;

function withoutSmall(shares: ReadonlyMap<string, number>): Map<string, number> {
  const kept = new Map([...shares].filter(([kind, share]) => kind !== OTHERS && share >= SMALL));
  const sum = [...kept.values()].reduce((all, share) => all + share, 0);
  return kept.set(OTHERS, 1 - sum);
}
