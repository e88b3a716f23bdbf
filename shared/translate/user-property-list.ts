import type { UserProperty } from "../model/publish.ts";
import type { RemovalReason, RemovedHeader } from "../model/translation.ts";
import { utf8Length } from "../topics/utf8-length.ts";
import { base64FromBytes } from "./base64.ts";

/** The longest UTF-8 Encoded String or Binary Data of MQTT 5, in bytes (1.5.4, 1.5.6). */
export const LONGEST_TEXT = 65_535;

const NONE_REMOVED: readonly RemovedHeader[] = [];
/** What a User Property takes besides its texts: its identifier and two lengths. */
const PAIR_OVERHEAD = 5;

/** Gathers the User Properties of one message, and which headers could not become one and why (S-21). */
export class UserPropertyList {
  pairs: UserProperty[] = [];
  removed: readonly RemovedHeader[] = NONE_REMOVED;
  /** Bytes that the pairs take in a PUBLISH. */
  length = 0;
  private reasons: RemovedHeader[] | undefined;
  private keepEmptyNames = false;

  /** Begins the next message; what was gathered before belongs to whoever took it. */
  clear(keepEmptyNames: boolean): void {
    this.pairs = [];
    this.removed = NONE_REMOVED;
    this.length = 0;
    this.reasons = undefined;
    this.keepEmptyNames = keepEmptyNames;
  }

  /** Adds a User Property, or removes the header that MQTT cannot carry. */
  add(name: string, value: string): void {
    const nameLength = utf8Length(name);
    const valueLength = utf8Length(value);
    if (nameLength === undefined || valueLength === undefined) this.remove(name, "not_utf8");
    else if (nameLength > LONGEST_TEXT || valueLength > LONGEST_TEXT) {
      this.remove(name, "too_large");
    } else if (nameLength === 0 && !this.keepEmptyNames) this.remove(name, "empty_name");
    else {
      this.length += PAIR_OVERHEAD + nameLength + valueLength;
      this.pairs.push([name, value]);
    }
  }

  /** Adds `<name>` in Base64 and `<name>;encoding` directly after it, or neither (S-24). */
  addBase64(name: string, value: Uint8Array): void {
    const encoding = `${name};encoding`;
    if ((utf8Length(encoding) ?? 0) > LONGEST_TEXT) {
      this.remove(name, "too_large");
      return;
    }
    const { length } = this.pairs;
    this.add(name, base64FromBytes(value));
    if (this.pairs.length > length) this.add(encoding, "base64");
  }

  /** Takes out those of these names, as if they had never come. */
  without(names: ReadonlySet<string>): void {
    const { pairs } = this;
    this.pairs = [];
    this.length = 0;
    for (const [name, value] of pairs) if (!names.has(name)) this.add(name, value);
  }

  remove(header: string, reason: RemovalReason): void {
    this.reasons ??= [];
    this.reasons.push({ header, reason });
    this.removed = this.reasons;
  }
}
