/** Frames as a flame graph: an SVG that needs no script and is legible as an image in a page. */
import { escapeHtml } from "../shared/pages/escape-html.ts";
import { type Frame, type Owner, timeByOwner } from "./cpu-profile.ts";

export interface FlameGraphOptions {
  readonly title: string;
  /** Frames with a smaller share of all are left out, and more where the text would become too long. Default 0.002. */
  readonly smallest?: number;
  /** Bytes of the text. Default 200,000. */
  readonly mostBytes?: number;
}

const WIDTH = 1200;
const ROW = 18;
const HEAD = 56;
const MARGIN = 8;
const LETTER = 6.7;
const LEGEND_STEP = 190;
const SMALLEST = 0.002;
const MOST_BYTES = 200_000;

const OWNERS: Readonly<Record<Owner, { readonly label: string; readonly colour: string }>> = {
  isthmus: { label: "Isthmus", colour: "#f2a65a" },
  kafkajs: { label: "kafkajs", colour: "#8fc1e3" },
  mqtt: { label: "mqtt", colour: "#9bd3a0" },
  packages: { label: "other packages", colour: "#d9c2e9" },
  node: { label: "Node.js", colour: "#d6d6d6" },
  gc: { label: "garbage collector", colour: "#ee8f8f" },
};

const STYLE = [
  "text{font:11px ui-monospace,Menlo,Consolas,monospace;fill:#222}",
  "rect{stroke:#fff;stroke-width:.5}",
  ...Object.entries(OWNERS).map(([owner, { colour }]) => `.${owner}{fill:${colour}}`),
].join("");

/** A frame with its place: pixels from the left, rows from the bottom. */
interface Placed {
  readonly frame: Frame;
  readonly left: number;
  readonly width: number;
  readonly depth: number;
}

/** Callers below, what they call above, as wide as both their own time and that of what they call. */
export function flameGraph(tree: Frame, options: FlameGraphOptions): string {
  const { smallest = SMALLEST, mostBytes = MOST_BYTES } = options;
  const svg = draw(tree, options.title, smallest);
  if (Buffer.byteLength(svg) <= mostBytes || smallest > 0.5) return svg;
  return flameGraph(tree, { ...options, smallest: smallest * 1.5 });
}

function draw(tree: Frame, title: string, smallest: number): string {
  const placed = place(tree, smallest * tree.total);
  const rows = 1 + placed.reduce((most, { depth }) => Math.max(most, depth), 0);
  const height = HEAD + rows * ROW + MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escapeHtml(title)}</title><style>${STYLE}</style>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${MARGIN}" y="20" style="font-size:14px;font-weight:bold">${escapeHtml(title)}</text>`,
    ...legend(tree),
    ...placed.map((one) => box(one, tree.total, height)),
    "</svg>\n",
  ].join("\n");
}

function place(tree: Frame, smallest: number): Placed[] {
  const scale = (WIDTH - 2 * MARGIN) / tree.total;
  const placed: Placed[] = [];
  const visit = (frame: Frame, left: number, depth: number): void => {
    if (frame.total < smallest) return;
    placed.push({ frame, left, width: frame.total * scale, depth });
    let at = left;
    for (const child of frame.children) {
      visit(child, at, depth + 1);
      at += child.total * scale;
    }
  };
  visit(tree, MARGIN, 0);
  return placed;
}

/** Whose time it is, as shares of all. */
function legend(tree: Frame): string[] {
  const times = [...timeByOwner(tree)].sort(([, a], [, b]) => b - a);
  return times.map(([owner, time], index) => {
    const left = MARGIN + index * LEGEND_STEP;
    const text = `${OWNERS[owner].label} ${percent(time / tree.total)}`;
    return `<rect class="${owner}" x="${left}" y="32" width="12" height="12"/><text x="${left + 17}" y="42">${text}</text>`;
  });
}

function box({ frame, left, width, depth }: Placed, all: number, height: number): string {
  const top = height - MARGIN - (depth + 1) * ROW;
  const { name, file, owner, total } = frame;
  const where = file === "" ? "" : ` (${file})`;
  const title = escapeHtml(`${name}${where}, ${percent(total / all)}`);
  const rect = `<rect class="${owner}" x="${short(left)}" y="${top}" width="${short(width)}" height="${ROW}"/>`;
  const letters = fitting(name, width);
  const text =
    letters === ""
      ? ""
      : `<text x="${short(left + 3)}" y="${top + 13}">${escapeHtml(letters)}</text>`;
  return `<g><title>${title}</title>${rect}${text}</g>`;
}

/** As much of a name as a box has room for. */
function fitting(name: string, width: number): string {
  const room = Math.floor((width - 6) / LETTER);
  if (name.length <= room) return name;
  return room < 4 ? "" : `${name.slice(0, room - 1)}…`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function short(pixels: number): string {
  return String(Math.round(pixels * 10) / 10);
}
