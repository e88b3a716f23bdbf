import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type KafkaBroker, startKafka } from "../support/kafka-broker.ts";
import { type MosquittoBroker, startMosquitto } from "../support/mosquitto-broker.ts";
import { describeReal } from "../support/real-brokers.ts";

const page = readFileSync("examples/kafka-source/README.md", "utf8");

/** A block of commands of the page, and what the page says that it prints. */
interface Step {
  readonly heading: string;
  readonly commands: string;
  readonly printed: readonly string[];
}

interface Line {
  readonly text: string;
  readonly at: number;
}

const steps: readonly Step[] = page.split(/^#+ /m).flatMap((section) => {
  const heading = section.split("\n", 1)[0] ?? "";
  const blocks = section.matchAll(/^```sh\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?/gms);
  return [...blocks].map(([, commands = "", printed = ""]) => ({
    heading,
    commands,
    printed: printed.split("\n").slice(0, -1),
  }));
});

/** What differs at every run. */
function timeless(line: string): string {
  return line
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/, "a time")
    .replace(/Timestamp:\d{13}/, "Timestamp");
}

const MARK = "@@ step ";
let kafka: KafkaBroker;
let mosquitto: MosquittoBroker;

/** Pastes all commands of the page into one shell, and gives what each block printed. */
async function paste(env: NodeJS.ProcessEnv): Promise<Line[][]> {
  const script = steps.flatMap(({ commands }, i) => [`echo "${MARK}${i}"`, commands]);
  const shell = spawn("bash", ["-eu", "-c", script.join("\n")], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // a group of its own, so that nothing outlives the test
    detached: true,
  });
  const errors: string[] = [];
  shell.stderr.on("data", (chunk: Buffer) => errors.push(String(chunk)));
  const printed: Line[][] = [];
  createInterface({ input: shell.stdout }).on("line", (text) => {
    if (text.startsWith(MARK)) printed.push([{ text, at: Date.now() }]);
    else printed.at(-1)?.push({ text, at: Date.now() });
  });
  const timer = setTimeout(() => endGroup(shell.pid), 100_000);
  try {
    const [code] = await once(shell, "close");
    if (code !== 0) throw new Error(`The commands ended with ${code}: ${errors.join("")}`);
  } finally {
    clearTimeout(timer);
    endGroup(shell.pid);
  }
  return printed;
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // all of it has ended
  }
}

describeReal("examples/kafka-source", ["java", "kcat", "mosquitto", "mosquitto_pub"], () => {
  beforeAll(async () => {
    const started = await startKafka({ properties: ["auto.create.topics.enable=true"] });
    if ("missing" in started) throw new Error(started.missing);
    kafka = started;
    const broker = await startMosquitto();
    if ("missing" in broker) throw new Error(broker.missing);
    mosquitto = broker;
  });

  afterAll(async () => {
    await kafka?.dispose();
    await mosquitto?.dispose();
  });

  test("its commands discover four topics and a fifth that is created later, and forward them as assets (S-60, S-61)", async () => {
    expect(steps.length).toBeGreaterThan(8);
    const printed = await paste({
      KAFKA: kafka.addresses.plain,
      MQTT: new URL(mosquitto.addresses.plain).host,
      HTTP: "0",
    });
    expect(printed).toHaveLength(steps.length);
    for (const [i, { heading, printed: wanted }] of steps.entries()) {
      const [, ...lines] = printed[i] ?? [];
      const got = lines.map(({ text }) => timeless(text));
      expect({ heading, got }).toEqual({ heading, got: wanted.map(timeless) });
    }
    const [begun, found] =
      printed[steps.findIndex(({ heading }) => heading.includes("fifth"))] ?? [];
    expect((found?.at ?? 0) - (begun?.at ?? 0)).toBeLessThan(30_000);
  });
});
