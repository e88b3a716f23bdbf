import type { MetadataEdit } from "../expressions/map-stage.ts";
import type { UserProperty } from "../model/publish.ts";
import type { TranslationContext } from "../model/translation.ts";

/** What a map wrote into the metadata of one message, gathered by where it goes. */
export interface Edits {
  /** Undefined: nothing was written. */
  readonly topic: string | undefined;
  /** Null: taken away. Undefined: nothing was written. */
  readonly contentType: string | null | undefined;
  /** User Properties or headers that go, also those that are written anew. */
  readonly removed: ReadonlySet<string>;
  readonly written: readonly UserProperty[];
}

const NONE: Edits = {
  topic: undefined,
  contentType: undefined,
  removed: new Set(),
  written: [],
};

/** The first value written to a name takes the place of what came; more of them stand beside it. Nothing written takes all away. */
export function editsOf(edits: readonly MetadataEdit[]): Edits {
  if (edits.length === 0) return NONE;
  let topic: string | undefined;
  let contentType: string | null | undefined;
  const removed = new Set<string>();
  let written: UserProperty[] = [];
  for (const { field, value } of edits) {
    if (field.kind === "topic") topic = value ?? topic;
    else if (field.kind === "contentType") contentType = value ?? null;
    else {
      removed.add(field.name);
      if (value === undefined) written = written.filter(([name]) => name !== field.name);
      else written.push([field.name, value]);
    }
  }
  return { topic, contentType, removed, written };
}

/** What of one message is needed to make a CloudEvent of it. */
export interface EventParts {
  readonly subject: string;
  readonly context: TranslationContext;
  readonly edits: Edits;
  /** Whether the payload is a map's. */
  readonly isNew: boolean;
}
