import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { describeReal, type Need } from "../support/real-brokers.ts";
import { Bench, FACTORY } from "./bench.ts";
import type { RunnerProcess } from "./runner-process.ts";

const NEEDS: readonly Need[] = [
  ...(["ISTHMUS_TEST_KAFKA", "ISTHMUS_TEST_MQTT", "java", "mosquitto"] as const),
  ...(["mosquitto_pub", "kcat"] as const),
];

/** Sets of headers or properties, one for each call of a client. */
const SETS = 20;
const LINES = 15;
const TOTAL = SETS * LINES;

/** Every byte but the line end, which separates messages. */
const BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).filter((b) => b !== 10));

let bench: Bench;
let runner: RunnerProcess;
let folder: string;

/** Runs a client to its end with `input`. @throws Error with what it said, when it fails. */
async function client(program: string, args: readonly string[], input?: Buffer): Promise<Buffer> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  const out: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  child.stdin.end(input);
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${Buffer.concat(errors)}`);
  return Buffer.concat(out);
}

function mqttArguments(): string[] {
  const { hostname, port } = new URL(bench.mosquitto.addresses.plain);
  return ["-h", hostname, "-p", port, "-V", "5", "-q", "1"];
}

/** Subscribes for a session that stays, so that nothing is missed until it is read. */
async function subscribe(session: string, filter: string): Promise<void> {
  await client("mosquitto_sub", [...sessionArguments(session), "-t", filter, "-E"]);
}

function readSession(session: string, filter: string, count: number): Promise<Buffer> {
  const format = ["-C", String(count), "-W", "30", "-F", "%t %q %r %x | %P"];
  return client("mosquitto_sub", [...sessionArguments(session), "-t", filter, ...format]);
}

function sessionArguments(session: string): string[] {
  return [...mqttArguments(), "-i", session, "-c", "-x", "600"];
}

describeReal("isthmus run between native clients", NEEDS, () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "isthmus-native-"));
    bench = await Bench.open();
    runner = await bench.startRunner();
  });

  afterAll(async () => {
    runner?.signal("SIGKILL");
    await bench?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  afterEach(({ task }) => {
    if (task.result?.state === "fail") console.log(runner?.log());
  });

  test("kcat's headers reach mosquitto_sub in their order, doubles and numbers too; payloads byte by byte (S-20)", async () => {
    await subscribe("native", "factory/+");
    for (let set = 0; set < SETS; set++) {
      const headers = [`b=${set}`, "2=two", "a=é", "b=again", "1=one", "__proto__=p", "empty="];
      const lines = Array.from({ length: LINES }, (_, line) =>
        Buffer.concat([Buffer.from(`key-${set}:${set}/${line} `), BYTES, Buffer.from("\n")]),
      );
      const topic = FACTORY[set % FACTORY.length] ?? "";
      const where = ["-P", "-b", bench.kafka.addresses.plain, "-t", topic, "-K:"];
      await client("kcat", [...where, ...headers.flatMap((h) => ["-H", h])], Buffer.concat(lines));
    }
    const got = String(await readSession("native", "factory/+", TOTAL))
      .trimEnd()
      .split("\n")
      .map((line) => line.replace(/Timestamp:\d{13} /, "Timestamp "));
    const wanted = Array.from({ length: TOTAL }, (_, index) => {
      const set = Math.floor(index / LINES);
      const payload = Buffer.concat([Buffer.from(`${set}/${index % LINES} `), BYTES]);
      const topic = `factory/${FACTORY[set % FACTORY.length]}`;
      const properties = `Key:key-${set} Timestamp b:${set} 2:two a:é b:again 1:one __proto__:p empty:`;
      return `${topic} 1 0 ${payload.toString("hex")} | ${properties}`;
    });
    expect(got.sort()).toEqual(wanted.sort());
  });

  test("mosquitto_pub's properties reach kcat in their order, doubles and numbers too; payloads byte by byte (S-10, S-11)", async () => {
    const file = join(folder, "payload");
    const payload = Buffer.concat([BYTES, Buffer.from("\n")]);
    writeFileSync(file, payload);
    for (let set = 0; set < SETS; set++) {
      const users = [
        ["b", String(set)],
        ["2", "two"],
        ["device-id", `device-${set}`],
        ["b", "again"],
        ["1", "one"],
        ["__proto__", "p"],
        ["empty", ""],
      ];
      const builtIn = [
        ["payload-format-indicator", "1"],
        ["response-topic", `replies/${set}`],
        ["correlation-data", `c${set}`],
        ["content-type", "text/plain"],
      ];
      const properties = [
        ...builtIn.flatMap((property) => ["-D", "publish", ...property]),
        ...users.flatMap((pair) => ["-D", "publish", "user-property", ...pair]),
      ];
      const repeat = ["--repeat", String(LINES)];
      const args = [...mqttArguments(), "-t", `temperature-alerts/${set}`, "-f", file, ...repeat];
      await client("mosquitto_pub", [...args, ...properties]);
    }
    const where = ["-C", "-b", bench.kafka.addresses.plain, "-t", "receiving-event-hub"];
    const format = ["-q", "-u", "-o", "beginning", "-c", String(TOTAL), "-f", "%k|%h|%S|%s\n"];
    const got = await client("kcat", [...where, ...format]);
    const wanted = Array.from({ length: TOTAL }, (_, index) => {
      const set = Math.floor(index / LINES);
      const builtIn = `Payload Format Indicator=1,Response Topic=replies/${set},Correlation Data=c${set},Content Type=text/plain`;
      const users = `b=${set},2=two,device-id=device-${set},b=again,1=one,__proto__=p,empty=`;
      const headers = `${builtIn},MQTT Topic=temperature-alerts/${set},${users}`;
      return `device-${set}|${headers}|${payload.length}|${payload.toString("latin1")}\n`;
    });
    expect(recordsOf(got).sort()).toEqual(wanted.sort());
  });
});

/** Cuts kcat's output into records; the payloads have line ends of their own. */
function recordsOf(bytes: Buffer): string[] {
  const text = bytes.toString("latin1");
  const records: string[] = [];
  for (let at = 0; at < text.length; ) {
    const head = /^.*?\|.*?\|(\d+)\|/s.exec(text.slice(at))?.[0] ?? "";
    const size = Number(head.split("|")[2]);
    const end = at + head.length + size + 1;
    if (head === "" || end > text.length) break;
    records.push(text.slice(at, end));
    at = end;
  }
  return records;
}
