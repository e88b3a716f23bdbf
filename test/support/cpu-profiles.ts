import type { CpuProfile } from "../../bench/cpu-profile.ts";

/** A stack, outermost first, as `name@url` (no url: no JavaScript), and the microseconds that it was seen. */
export type SeenStack = readonly [stack: readonly string[], micros: number];

interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children: number[];
}

/** What V8 would have written; every stack has nodes of its own, as calls from different lines have. */
export function cpuProfile(stacks: readonly SeenStack[]): CpuProfile {
  const nodes: Node[] = [];
  const add = (frame: string): Node => {
    const [functionName = "", url = ""] = frame.split("@");
    const node = { id: nodes.length + 1, callFrame: { functionName, url }, children: [] };
    nodes.push(node);
    return node;
  };
  const root = add("(root)");
  const samples: number[] = [];
  for (const [stack] of stacks) {
    let caller = root;
    for (const frame of stack) {
      const node = add(frame);
      caller.children.push(node.id);
      caller = node;
    }
    samples.push(caller.id);
  }
  return { nodes, samples, timeDeltas: [0, ...stacks.map(([, micros]) => micros)] };
}

/** The address of a module of ours, as the build puts it. */
export const ours = (path: string): string => `file:///somewhere/isthmus/dist/${path}.js`;
/** The same of a package. */
export const packaged = (path: string): string => `file:///somewhere/node_modules/${path}`;
