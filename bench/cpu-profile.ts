/** What a V8 CPU profile says: its samples as one tree of frames, and whose time they are. */

/** A `.cpuprofile`, as far as it is read. Times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** The node at work at each sample. */
  readonly samples: readonly number[];
  /** From the sample before to each sample. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** Whose code a frame is; "packages" are those of npm but the two named. */
export type Owner = "isthmus" | "kafkajs" | "mqtt" | "packages" | "node" | "gc";

/** One function below one caller, whichever lines it was called from. Times in microseconds. */
export interface Frame {
  readonly name: string;
  /** As this repository or its package names it; empty for what is no JavaScript. */
  readonly file: string;
  readonly owner: Owner;
  readonly self: number;
  readonly total: number;
  /** The longest first. */
  readonly children: readonly Frame[];
}

const GC = "(garbage collector)";
const IDLE = "(idle)";
const LOADER = "node:internal/modules/";
const PACKAGES = "/node_modules/";
const BUILT = "/dist/";

/** The whole profile as one frame, without the time in which nothing was done. */
export function frameTree(profile: CpuProfile): Frame {
  const times = timeByNode(profile);
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const read: Read = (node) => {
    const callees = (node.children ?? []).flatMap((id) => byId.get(id) ?? []);
    const inner = isLoader(node) ? callees.filter(isLoader).map(read) : [];
    return {
      self: inner.reduce((sum, { self }) => sum + self, times.get(node.id) ?? 0),
      callees: [
        ...callees.filter((callee) => !(isLoader(node) && isLoader(callee))),
        ...inner.flatMap((fact) => fact.callees),
      ],
    };
  };
  const [root] = profile.nodes;
  if (root === undefined) throw new Error("Cannot read the profile: it has no nodes");
  return merged([root], read);
}

/** Each sample stands for the time until the next one. */
function timeByNode({ samples, timeDeltas }: CpuProfile): Map<number, number> {
  const times = new Map<number, number>();
  for (const [index, id] of samples.entries()) {
    // V8 may note samples out of order
    const lasted = Math.max(0, timeDeltas[index + 1] ?? 0);
    times.set(id, (times.get(id) ?? 0) + lasted);
  }
  return times;
}

type Read = (node: ProfileNode) => { readonly self: number; readonly callees: ProfileNode[] };

/** Node.js takes many calls to load a module: they are one frame, or modules that load modules would be a hundred frames high. */
function isLoader({ callFrame }: ProfileNode): boolean {
  return callFrame.url.startsWith(LOADER);
}

function nameOf(node: ProfileNode): string {
  const { functionName } = node.callFrame;
  if (isLoader(node)) return "(module loader)";
  if (functionName === "(root)") return "all";
  return functionName === "" ? "(anonymous)" : functionName;
}

/** Equal frames below one caller as one. */
function merged(nodes: readonly [ProfileNode, ...ProfileNode[]], read: Read): Frame {
  const [node] = nodes;
  const { functionName, url } = node.callFrame;
  const facts = nodes.map(read);
  const groups = new Map<string, [ProfileNode, ...ProfileNode[]]>();
  for (const callee of facts.flatMap(({ callees }) => callees)) {
    if (callee.callFrame.functionName === IDLE) continue;
    const key = `${nameOf(callee)} ${fileOf(callee.callFrame.url)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [callee]);
    else group.push(callee);
  }
  const children = [...groups.values()]
    .map((group) => merged(group, read))
    .sort((a, b) => b.total - a.total);
  const self = facts.reduce((sum, fact) => sum + fact.self, 0);
  return {
    ...{ name: nameOf(node), file: fileOf(url), owner: ownerOf(functionName, url) },
    ...{ self, total: children.reduce((sum, { total }) => sum + total, self), children },
  };
}

function fileOf(url: string): string {
  if (url.startsWith(LOADER)) return LOADER.slice(0, -1);
  if (url.includes(PACKAGES)) return url.slice(url.lastIndexOf(PACKAGES) + PACKAGES.length);
  if (!url.includes(BUILT)) return url.replace(/^file:.*\//, "");
  return url.slice(url.lastIndexOf(BUILT) + BUILT.length).replace(/\.js$/, ".ts");
}

function ownerOf(functionName: string, url: string): Owner {
  if (functionName === GC) return "gc";
  if (url === "" || url.startsWith("node:")) return "node";
  if (!url.includes(PACKAGES)) return "isthmus";
  const file = fileOf(url);
  if (file.startsWith("kafkajs/")) return "kafkajs";
  return file.startsWith("mqtt/") || file.startsWith("mqtt-packet/") ? "mqtt" : "packages";
}

/** Microseconds of each owner's own frames. */
export function timeByOwner(frame: Frame): Map<Owner, number> {
  return timeBy(frame, ({ owner }) => owner, "node");
}

/**
 * Microseconds by what `kindOf` says of frames. Where it says nothing a frame is its caller's: what a module has Node.js do for it
 * is its own time. `outermost` is for frames that nobody called.
 */
export function timeBy<K>(
  frame: Frame,
  kindOf: (frame: Frame, caller: K) => K | undefined,
  outermost: K,
): Map<K, number> {
  const times = new Map<K, number>();
  const visit = (one: Frame, caller: K): void => {
    const kind = kindOf(one, caller) ?? caller;
    times.set(kind, (times.get(kind) ?? 0) + one.self);
    for (const child of one.children) visit(child, kind);
  };
  visit(frame, outermost);
  return times;
}
