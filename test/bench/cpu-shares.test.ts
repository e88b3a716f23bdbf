import { describe, expect, test } from "vitest";
import { frameTree } from "../../bench/cpu-profile.ts";
import { cpuShares, sharesTable } from "../../bench/cpu-shares.ts";
import { cpuProfile, ours, packaged } from "../support/cpu-profiles.ts";

const LOADER = "require@node:internal/modules/cjs/loader";
const PUMP = `fill@${ours("shared/engine/kafka-to-mqtt-pump")}`;
const ENCODE = `encode@${ours("shared/wire/mqtt-publish-encoder")}`;
const WRITE = "writeOrBuffer@node:internal/streams/writable";
const KAFKAJS = `send@${packaged("kafkajs/src/connection.js")}`;

describe("cpuShares()", () => {
  test.each([
    { stack: ["(garbage collector)"], kind: "garbage collection" },
    { stack: [LOADER], kind: "start and loading of modules" },
    { stack: [LOADER, ENCODE], kind: "start and loading of modules" },
    { stack: [`parse@${packaged("yaml/x.js")}`], kind: "start and loading of modules" },
    { stack: [`r@${ours("local/cli")}`, PUMP], kind: "engine" },
    { stack: [`r@${ours("local/cli")}`, "emit@node:events"], kind: "start and loading of modules" },
    { stack: [PUMP], kind: "engine" },
    { stack: [PUMP, ENCODE], kind: "encoding of PUBLISH" },
    { stack: [PUMP, ENCODE, "utf8Write"], kind: "encoding of PUBLISH" },
    { stack: [PUMP, `c@${ours("shared/translate/edits")}`], kind: "translation" },
    { stack: [KAFKAJS, WRITE], kind: "socket writes" },
    { stack: [KAFKAJS, "writev"], kind: "socket writes" },
    { stack: [KAFKAJS, "emit@node:events"], kind: "kafkajs" },
    {
      stack: [KAFKAJS, `d@${ours("shared/wire/kafka-record-decoder")}`],
      kind: "decoding of records",
    },
    { stack: ["onStreamRead@node:internal/stream_base_commons"], kind: "socket reads" },
    {
      stack: [
        `e@${ours("shared/wire/kafka-record-encoder")}`,
        `c@${ours("shared/wire/kafka-crc32c")}`,
      ],
      kind: "encoding of records",
    },
    { stack: ["(program)"], kind: "others" },
  ])("$stack is $kind", ({ stack, kind }) => {
    const shares = cpuShares(frameTree(cpuProfile([[stack, 5]])));
    expect([...shares].filter(([, share]) => share > 0)).toEqual([[kind, 1]]);
  });
});

describe("sharesTable()", () => {
  test("has a column for each profile and sums up what is below half a percent", () => {
    const columns = new Map([
      [
        "up",
        new Map([
          ["engine", 0.5],
          ["translation", 0.4],
          ["mqtt", 0.004],
          ["others", 0.096],
        ]),
      ],
      ["down", new Map([["kafkajs", 1]])],
    ]);
    expect(sharesTable(columns)).toBe(
      [
        "| CPU time goes to | up | down |",
        "|---|--:|--:|",
        "| translation | 40.0 % | 0.0 % |",
        "| engine | 50.0 % | 0.0 % |",
        "| kafkajs | 0.0 % | 100.0 % |",
        "| others | 10.0 % | 0.0 % |",
      ].join("\n"),
    );
  });
});
