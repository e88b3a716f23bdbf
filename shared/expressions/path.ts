/** A path of fields with at most one wildcard: what stands before it, and after it. */
export interface PathPattern {
  readonly before: readonly string[];
  readonly hasWildcard: boolean;
  readonly after: readonly string[];
}

interface Segment {
  readonly name: string;
  readonly isQuoted: boolean;
}

/** Splits a path at its dots. A segment that begins with `"` runs to the next `"`; everything else stands for itself. */
function segmentsOf(text: string): readonly Segment[] | string {
  const segments: Segment[] = [];
  let at = 0;
  for (;;) {
    if (text[at] === '"') {
      const end = text.indexOf('"', at + 1);
      if (end < 0) return `${JSON.stringify(text)} has an open quotation mark`;
      segments.push({ name: text.slice(at + 1, end), isQuoted: true });
      at = end + 1;
      if (at < text.length && text[at] !== ".") {
        return `${JSON.stringify(text)} goes on after a closing quotation mark: put a dot there`;
      }
    } else {
      const dot = text.indexOf(".", at);
      const end = dot < 0 ? text.length : dot;
      segments.push({ name: text.slice(at, end), isQuoted: false });
      at = end;
    }
    if (at >= text.length) return segments;
    at += 1;
  }
}

/** Reads a path such as `Payload."Tag.10".*`; the reason why it is none as text. */
export function parsePath(text: string): PathPattern | string {
  const segments = segmentsOf(text);
  if (typeof segments === "string") return segments;
  const partial = segments.find(({ name, isQuoted }) => !isQuoted && /.\*|\*./.test(name));
  if (partial !== undefined) {
    return `${JSON.stringify(partial.name)} mixes a wildcard with text: "*" stands for whole fields only`;
  }
  const isWildcard = ({ name, isQuoted }: Segment): boolean => name === "*" && !isQuoted;
  if (segments.filter(isWildcard).length > 1) {
    return `${JSON.stringify(text)} has more than one wildcard`;
  }
  const at = segments.findIndex(isWildcard);
  const names = segments.map(({ name }) => name);
  if (at < 0) return { before: names, hasWildcard: false, after: [] };
  return { before: names.slice(0, at), hasWildcard: true, after: names.slice(at + 1) };
}

/** The path with what its wildcard stands for put in. */
export function filledPath(path: PathPattern, captured: readonly string[]): readonly string[] {
  return path.hasWildcard ? [...path.before, ...captured, ...path.after] : path.before;
}
