import type { Tap } from "../shared/compose.ts";
import type { Crossing } from "../shared/pages/status-view.ts";

const PREVIEW_BYTES = 160;
/** Beyond this many a second, previews are not made: a tap must not slow a bridge down. */
const PREVIEWS_PER_SECOND = 20;

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** The beginning of a payload as one line of text, or a note that it is binary. */
export function preview(payload: Uint8Array): string {
  if (payload.length === 0) return "(empty)";
  // a cut may fall inside a character: up to three bytes less, and it is whole
  for (let cut = 0; cut <= 3; cut++) {
    const end = Math.min(payload.length, PREVIEW_BYTES) - cut;
    try {
      const text = UTF8.decode(payload.subarray(0, end)).replaceAll(/\s+/g, " ");
      return end < payload.length ? `${text}…` : text;
    } catch {
      if (payload.length <= PREVIEW_BYTES) break;
    }
  }
  return `(binary, ${payload.length} bytes)`;
}

/** A tap that makes a few {@link Crossing}s a second of what crosses, with the beginning of each payload. */
export function crossingTap(now: () => number, onCrossing: (crossing: Crossing) => void): Tap {
  let second = 0;
  let made = 0;
  const room = (at: number): boolean => {
    const current = Math.floor(at / 1000);
    if (current !== second) {
      second = current;
      made = 0;
    }
    made++;
    return made <= PREVIEWS_PER_SECOND;
  };
  return {
    published(route, record, publish) {
      const at = now();
      if (!room(at)) return;
      onCrossing({
        at,
        route: route.name,
        from: record.topic,
        to: publish.topicName,
        bytes: publish.payload.length,
        preview: preview(publish.payload),
        properties: publish.properties.userProperties.length,
      });
    },
    produced(route, publish, topic) {
      const at = now();
      if (!room(at)) return;
      onCrossing({
        at,
        route: route.name,
        from: publish.topicName,
        to: topic,
        bytes: publish.payload.length,
        preview: preview(publish.payload),
        properties: publish.properties.userProperties.length,
      });
    },
  };
}

/** Keeps the last `size` crossings, newest first. */
export class RecentCrossings {
  private readonly size: number;
  private crossings: readonly Crossing[] = [];

  constructor(size: number) {
    this.size = size;
  }

  add(crossing: Crossing): void {
    this.crossings = [crossing, ...this.crossings].slice(0, this.size);
  }

  list(): readonly Crossing[] {
    return this.crossings;
  }
}
