import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { metricsPage } from "../../shared/pages/metrics.ts";
import { counters, routeStatus } from "../support/route-status.ts";

const facts = {
  version: "1.2.3",
  startedAt: 1_700_000_000_500,
  workerRestarts: 2,
  residentBytes: 1000,
  cpuSeconds: 1.5,
};
const labels = 'route="flow/one",direction="kafkaToMqtt",instance="0"';

describe("metricsPage()", () => {
  const page = metricsPage(
    [
      routeStatus({
        state: "waiting",
        mqtt: { connected: false },
        counters: counters({
          received: 7,
          delivered: 5,
          expired: 1,
          inFlight: 1,
          receivedBytes: 900,
          rejected: { TOPIC_NAME_INVALID: 3 },
          removedHeaders: { not_utf8: 4 },
        }),
      }),
    ],
    facts,
  );

  test.each([
    `isthmus_messages_received_total{${labels}} 7`,
    `isthmus_messages_delivered_total{${labels}} 5`,
    `isthmus_messages_expired_total{${labels}} 1`,
    `isthmus_messages_in_flight{${labels}} 1`,
    `isthmus_received_bytes_total{${labels}} 900`,
    `isthmus_messages_rejected_total{${labels},reason="TOPIC_NAME_INVALID"} 3`,
    `isthmus_headers_removed_total{${labels},reason="not_utf8"} 4`,
    `isthmus_connected{${labels},side="kafka"} 1`,
    `isthmus_connected{${labels},side="mqtt"} 0`,
    `isthmus_route_state{${labels},state="waiting"} 1`,
    `isthmus_route_state{${labels},state="running"} 0`,
    'isthmus_build_info{version="1.2.3"} 1',
    "process_start_time_seconds 1700000000.5",
    "isthmus_worker_restarts_total 2",
    "process_resident_memory_bytes 1000",
    "process_cpu_seconds_total 1.5",
  ])("has the line %s", (line) => {
    expect(page.split("\n")).toContain(line);
  });

  test("is well-formed: each family once, with help and type before its samples", () => {
    const seen = new Set<string>();
    let current = "";
    expect(page.endsWith("\n")).toBe(true);
    for (const line of page.trimEnd().split("\n")) {
      const help = /^# HELP (\S+) \S.*\.$/.exec(line);
      const type = /^# TYPE (\S+) (counter|gauge)$/.exec(line);
      if (help?.[1] !== undefined) {
        expect(seen.has(help[1])).toBe(false);
        seen.add(help[1]);
        current = help[1];
      } else if (type !== null) {
        expect(type[1]).toBe(current);
        expect(type[2] === "counter").toBe(current.endsWith("_total"));
      } else {
        expect(line).toMatch(/^[a-z_]+(?:\{(?:[a-z]+="(?:[^"\\\n]|\\.)*",?)+\})? -?[\d.e+]+$/);
        expect(line.startsWith(current)).toBe(true);
      }
    }
  });

  test("escapes what a route's name may hold", () => {
    const odd = metricsPage([routeStatus({ route: 'a"b\\c\nd' })], facts);
    expect(odd).toContain('isthmus_messages_received_total{route="a\\"b\\\\c\\nd",');
  });

  test("tells of discovered assets, their limit and those that made way, where there is a Device (S-60)", () => {
    expect(page).not.toContain("discovered");
    const asset = { name: "a-aaaa", topic: "t/a", device: "d", endpoint: "e", firstSeen: 0 };
    const view = {
      endpoint: "d/e",
      topicFilter: "t/+",
      assets: [asset],
      displaced: 7,
      limit: 10_000,
    };
    const lines = metricsPage([], { ...facts, discovery: [view] }).split("\n");
    expect(lines.filter((line) => line.startsWith("isthmus_discovered"))).toEqual([
      'isthmus_discovered_assets{endpoint="d/e"} 1',
      'isthmus_discovered_assets_limit{endpoint="d/e"} 10000',
      'isthmus_discovered_assets_displaced_total{endpoint="d/e"} 7',
    ]);
  });

  test("has each of its names in docs/operations.md", async () => {
    const docs = await readFile(new URL("../../docs/operations.md", import.meta.url), "utf8");
    const names = [...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(15);
    expect(names.filter((name) => !docs.includes(`\`${name}\``))).toEqual([]);
  });
});
