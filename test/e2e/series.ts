/** Messages to send one after the other. */
export interface Series<T> {
  /** Message number `index`; asked for once, just before it is sent. */
  message(index: number): T;
  /** True when message number `index` and all after it are not to be sent any more. */
  ended(index: number): boolean;
  readonly perSecond?: number | undefined;
}

const BURSTS_PER_SECOND = 40;

/** Sends a series in bursts of at most `size`, one after the other. */
export async function sendSeries<T>(
  series: Series<T>,
  size: number,
  send: (burst: T[]) => Promise<void>,
): Promise<void> {
  const perSecond = series.perSecond ?? Number.POSITIVE_INFINITY;
  const most = Math.min(size, Math.ceil(perSecond / BURSTS_PER_SECOND));
  const started = Date.now();
  for (let index = 0; !series.ended(index); ) {
    const burst: T[] = [];
    while (burst.length < most && !series.ended(index)) burst.push(series.message(index++));
    await send(burst);
    await pause(started + (index / perSecond) * 1000 - Date.now());
  }
}

function pause(ms: number): Promise<void> {
  return ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}
