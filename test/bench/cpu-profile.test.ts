import { describe, expect, test } from "vitest";
import { type CpuProfile, type Frame, frameTree, timeByOwner } from "../../bench/cpu-profile.ts";
import { cpuProfile, ours, packaged, type SeenStack } from "../support/cpu-profiles.ts";

const LANE = `take@${ours("shared/engine/lane")}`;
const SEND = `send@${packaged("kafkajs/src/connection.js")}`;
const LOADER = "node:internal/modules";

/** `name self/total`, callees in brackets. */
function outline({ name, self, total, children }: Frame): string {
  const inner = children.length === 0 ? "" : `(${children.map(outline).join(" ")})`;
  return `${name} ${self}/${total}${inner}`;
}

describe("frameTree()", () => {
  const rows: { title: string; stacks: SeenStack[]; expected: string }[] = [
    {
      title: "a frame lasts as long as itself and what it calls",
      stacks: [
        [[LANE], 10],
        [[LANE, SEND], 5],
      ],
      expected: "all 0/15(take 10/15(send 5/5))",
    },
    {
      title: "calls of a function from several lines are one frame",
      stacks: [
        [[LANE, SEND], 1],
        [[LANE, SEND], 2],
      ],
      expected: "all 0/3(take 0/3(send 3/3))",
    },
    {
      title: "functions of one name in two files are two frames, the longer first",
      stacks: [
        [["send@node:net"], 1],
        [[SEND], 2],
      ],
      expected: "all 0/3(send 2/2 send 1/1)",
    },
    {
      title: "time in which nothing was done is left out",
      stacks: [
        [["(idle)"], 1000],
        [[LANE], 1],
      ],
      expected: "all 0/1(take 1/1)",
    },
    {
      title: "the calls that load a module are one frame, with what the module calls",
      stacks: [
        [[`require@${LOADER}/a`, `_load@${LOADER}/b`, `_compile@${LOADER}/b`], 1],
        [[`require@${LOADER}/a`, `_load@${LOADER}/b`, LANE], 2],
        [[`import@${LOADER}/c`, SEND], 4],
      ],
      expected: "all 0/7((module loader) 1/7(send 4/4 take 2/2))",
    },
    {
      title: "a function without a name is called so",
      stacks: [[["@node:net"], 1]],
      expected: "all 0/1((anonymous) 1/1)",
    },
    {
      title: "samples that V8 noted out of order last no time",
      stacks: [
        [[LANE], -5],
        [[SEND], 2],
      ],
      expected: "all 0/2(send 2/2 take 0/0)",
    },
  ];
  test.each(rows)("$title", ({ stacks, expected }) => {
    expect(outline(frameTree(cpuProfile(stacks)))).toBe(expected);
  });

  test("throws an Error of a profile without nodes", () => {
    const empty: CpuProfile = { nodes: [], samples: [], timeDeltas: [] };
    expect(() => frameTree(empty)).toThrow("Cannot read the profile: it has no nodes");
  });
});

describe("frames", () => {
  test.each([
    { frame: LANE, owner: "isthmus", file: "shared/engine/lane.ts" },
    { frame: "run@file:///elsewhere/isthmus/tool.mjs", owner: "isthmus", file: "tool.mjs" },
    { frame: SEND, owner: "kafkajs", file: "kafkajs/src/connection.js" },
    { frame: `a@${packaged("mqtt/dist/x.js")}`, owner: "mqtt", file: "mqtt/dist/x.js" },
    { frame: `a@${packaged("mqtt-packet/x.js")}`, owner: "mqtt", file: "mqtt-packet/x.js" },
    { frame: `a@${packaged("yaml/dist/x.js")}`, owner: "packages", file: "yaml/dist/x.js" },
    { frame: `a@${packaged("a/node_modules/b/x.js")}`, owner: "packages", file: "b/x.js" },
    { frame: "emit@node:events", owner: "node", file: "node:events" },
    { frame: "writev", owner: "node", file: "" },
    { frame: "(garbage collector)", owner: "gc", file: "" },
  ])("$frame is of $owner, in file '$file'", ({ frame, owner, file }) => {
    const tree = frameTree(cpuProfile([[[frame], 1]]));
    expect(tree.children[0]).toMatchObject({ owner, file });
  });
});

describe("timeByOwner()", () => {
  test("counts own time, not that of callees", () => {
    const tree = frameTree(
      cpuProfile([
        [[LANE], 1],
        [[LANE, SEND], 2],
        [[LANE, SEND, "writev"], 4],
        [["(garbage collector)"], 8],
      ]),
    );
    expect(Object.fromEntries(timeByOwner(tree))).toEqual({
      ...{ isthmus: 1, kafkajs: 2, node: 4, gc: 8 },
    });
  });
});
