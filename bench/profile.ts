/** Profiles of the built runner in both directions, as flame graphs and as a table. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Contender, Direction } from "./contender.ts";
import { type CpuProfile, type Frame, frameTree } from "./cpu-profile.ts";
import { cpuShares } from "./cpu-shares.ts";
import { flameGraph } from "./flame-graph.ts";
import { runTrial, type Stage } from "./run.ts";

const MICROSECONDS_BETWEEN_SAMPLES = 250;
const QOS = 1;

export const PROFILED: readonly { direction: Direction; name: string; file: string }[] = [
  { direction: "k2m", name: "Kafka to MQTT", file: "flame-kafka-to-mqtt.svg" },
  { direction: "m2k", name: "MQTT to Kafka", file: "flame-mqtt-to-kafka.svg" },
];

/** Runs both directions and puts their flame graphs into `folder`. Returns shares by what CPU time went to, by direction. */
export async function profileBridge(
  stage: Stage,
  folder: string,
): Promise<Map<string, Map<string, number>>> {
  const shares = new Map<string, Map<string, number>>();
  mkdirSync(folder, { recursive: true });
  for (const { direction, name, file } of PROFILED) {
    const tree = await profiled(stage, direction);
    const seconds = (tree.total / 1e6).toFixed(1);
    const title = `${name}, QoS ${QOS}, ${stage.messages.toLocaleString("en")} messages of ${stage.size} bytes: ${seconds} s of CPU time`;
    writeFileSync(join(folder, file), flameGraph(tree, { title }));
    shares.set(name, cpuShares(tree));
  }
  return shares;
}

async function profiled(stage: Stage, direction: Direction): Promise<Frame> {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-profile-"));
  try {
    const contender = profilingContender(folder);
    const { unique } = await runTrial(stage, { contender, direction, qos: QOS, run: 1 });
    if (unique < stage.messages) throw new Error(`${unique} of ${stage.messages} messages came`);
    return frameTree(readProfile(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The runner as other benchmarks start it, with a node that writes a profile when it ends. */
function profilingContender(folder: string): Contender {
  const node = join(folder, "node");
  const options = `--cpu-prof --cpu-prof-interval ${MICROSECONDS_BETWEEN_SAMPLES} --cpu-prof-dir "${folder}"`;
  writeFileSync(node, `#!/bin/sh\nexec "${process.execPath}" ${options} "$@"\n`, { mode: 0o755 });
  return { name: "isthmus", command: ["env", `NODE=${node}`, "bash", "bench/bench-entry.sh"] };
}

function readProfile(folder: string): CpuProfile {
  const [file] = readdirSync(folder).filter((name) => name.endsWith(".cpuprofile"));
  if (file === undefined) throw new Error("The runner ended without a profile");
  return JSON.parse(readFileSync(join(folder, file), "utf8")) as CpuProfile;
}
