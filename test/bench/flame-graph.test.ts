import { describe, expect, test } from "vitest";
import { frameTree } from "../../bench/cpu-profile.ts";
import { flameGraph } from "../../bench/flame-graph.ts";
import { cpuProfile, ours, packaged, type SeenStack } from "../support/cpu-profiles.ts";

const FILL = `fillTheWindow@${ours("shared/engine/pump")}`;
const SEND = `send@${packaged("kafkajs/src/a.js")}`;

interface Box {
  readonly title: string;
  readonly owner: string;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly text: string | undefined;
}

const BOX =
  /<g><title>(.*?)<\/title><rect class="(.*?)" x="(.*?)" y="(.*?)" width="(.*?)" height="18"\/>(?:<text [^>]*>(.*?)<\/text>)?<\/g>/g;

function boxes(svg: string): Box[] {
  return [...svg.matchAll(BOX)].map(([, title = "", owner = "", left, top, width, text]) => ({
    ...{ title, owner, text, left: Number(left), top: Number(top), width: Number(width) },
  }));
}

const draw = (stacks: readonly SeenStack[], more: object = {}): string =>
  flameGraph(frameTree(cpuProfile(stacks)), { title: "A run", ...more });

describe("flameGraph()", () => {
  test("puts callees above their caller, side by side, as wide as their time", () => {
    const svg = draw([
      [[FILL, SEND], 60],
      [[FILL, "writev"], 20],
      [[FILL], 20],
    ]);
    const [all, fill, send, writev] = boxes(svg);
    expect(all).toMatchObject({ left: 8, width: 1184 });
    expect(fill).toMatchObject({ left: 8, width: 1184, top: (all?.top ?? 0) - 18 });
    expect(send).toMatchObject({ left: 8, width: 710.4, top: (all?.top ?? 0) - 36 });
    expect(writev).toMatchObject({ left: 718.4, width: 236.8, top: (all?.top ?? 0) - 36 });
  });

  test("says of each frame its function, file, share and owner", () => {
    const described = boxes(draw([[[FILL, SEND, "writev"], 1]]));
    expect(described.map(({ owner, title }) => `${owner}: ${title}`)).toEqual([
      "node: all, 100.0 %",
      "isthmus: fillTheWindow (shared/engine/pump.ts), 100.0 %",
      "kafkajs: send (kafkajs/src/a.js), 100.0 %",
      "node: writev, 100.0 %",
    ]);
  });

  test.each([
    { title: "a name that fits is written whole", share: 100, text: "fillTheWindow" },
    { title: "a name that does not is cut", share: 6, text: "fillTheW…" },
    { title: "a box for less than four letters has none", share: 2, text: undefined },
  ])("$title", ({ share, text }) => {
    const svg = draw([
      [[FILL], share],
      [["writev"], 100 - share],
    ]);
    expect(boxes(svg).find(({ title }) => title.startsWith("fill"))?.text).toBe(text);
  });

  test.each([
    { title: "a frame of 0.1 % is left out, with what it calls", micros: 1, drawn: false },
    { title: "a frame of 0.2 % is drawn", micros: 2, drawn: true },
  ])("$title", ({ micros, drawn }) => {
    const svg = draw([
      [[FILL, SEND], micros],
      [["writev"], 1000 - micros],
    ]);
    expect(svg.includes("fillTheWindow")).toBe(drawn);
    expect(svg.includes("send")).toBe(drawn);
  });

  test("leaves out more where it would become too long", () => {
    const many = Array.from({ length: 100 }, (_, i): SeenStack => [[`f${i}@node:a`], 1 + i]);
    expect(Buffer.byteLength(draw(many))).toBeGreaterThan(8_000);
    const svg = draw(many, { mostBytes: 8_000 });
    expect(Buffer.byteLength(svg)).toBeLessThanOrEqual(8_000);
    expect(svg).toContain("f99");
    expect(svg).not.toContain("f30 ");
  });

  test("shows the share of each owner in its legend", () => {
    const svg = draw([
      [[FILL], 3],
      [[FILL, SEND], 1],
    ]);
    expect(svg).toContain(">Isthmus 75.0 %<");
    expect(svg).toContain(">kafkajs 25.0 %<");
    expect(svg).not.toContain("garbage collector");
  });

  test("escapes names, and needs nothing but itself", () => {
    const svg = draw([[['get "<a>&"@node:a'], 1]], { title: "1 < 2" });
    expect(svg).toContain("get &quot;&lt;a&gt;&amp;&quot; (node:a)");
    expect(svg).toContain("<title>1 &lt; 2</title>");
    expect(svg.replace("http://www.w3.org/2000/svg", "")).not.toMatch(/<script|href|url\(|http/);
  });
});
