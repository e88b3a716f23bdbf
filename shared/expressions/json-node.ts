/** JSON as it was written: numbers keep their text, fields their order. */
export type JsonNode = null | boolean | string | JsonNumber | readonly JsonNode[] | JsonObject;

export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** With more fields than this an object is searched by an index. */
const FEW = 12;

/** Fields in order; of two with one name the last counts. Any text is a name, also `__proto__`. */
export class JsonObject {
  readonly names: string[] = [];
  readonly values: JsonNode[] = [];
  /** False for one that others may hold too: it is copied before it is changed. */
  readonly isOwn: boolean;
  private index: Map<string, number> | undefined;

  constructor(isOwn = false) {
    this.isOwn = isOwn;
  }

  get(name: string): JsonNode | undefined {
    const at = this.find(name);
    return at < 0 ? undefined : this.values[at];
  }

  set(name: string, value: JsonNode): void {
    const at = this.find(name);
    if (at >= 0) {
      this.values[at] = value;
      return;
    }
    this.index?.set(name, this.names.length);
    this.names.push(name);
    this.values.push(value);
    if (this.index === undefined && this.names.length > FEW) {
      this.index = new Map(this.names.map((known, i) => [known, i]));
    }
  }

  /** The same fields in an object that may be changed. */
  copy(): JsonObject {
    const copy = new JsonObject(true);
    for (const [i, name] of this.names.entries()) copy.set(name, this.values[i] ?? null);
    return copy;
  }

  private find(name: string): number {
    return this.index === undefined ? this.names.indexOf(name) : (this.index.get(name) ?? -1);
  }
}

export function isList(node: JsonNode | undefined): node is readonly JsonNode[] {
  return Array.isArray(node);
}

/** The node that stands at this path below another, or undefined: only objects have fields. */
export function nodeAt(node: JsonNode, path: readonly string[]): JsonNode | undefined {
  let at: JsonNode | undefined = node;
  for (const name of path) {
    if (!(at instanceof JsonObject)) return undefined;
    at = at.get(name);
  }
  return at;
}

/** Puts a node at this path, which has a step at least. What stands in the way gives way; what others hold is copied first. */
export function setAt(root: JsonObject, path: readonly string[], node: JsonNode): void {
  let at = root;
  const last = path.length - 1;
  for (let i = 0; i < last; i += 1) {
    const name = path[i] ?? "";
    const child = at.get(name);
    let own: JsonObject;
    if (child instanceof JsonObject) own = child.isOwn ? child : child.copy();
    else own = new JsonObject(true);
    if (own !== child) at.set(name, own);
    at = own;
  }
  at.set(path[last] ?? "", node);
}
