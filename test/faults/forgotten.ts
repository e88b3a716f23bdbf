import type { Run } from "./run.ts";

export const FORGOTTEN = "forgotten by Mosquitto";

/**
 * Watches what Mosquitto hands to the bridge. What it returns waits for the last message, behind which nothing of a queue can come, and
 * excuses what was never handed over: that is no loss of the bridge. All that was has to be in Kafka.
 */
export function watchDeliveries(run: Run): () => Promise<void> {
  const delivered = new Set<number>();
  run.observer.watcher = {
    ...run.observer.watcher,
    delivered: (payload) => void delivered.add(payload.readUInt32BE(0)),
  };
  return async () => {
    const flow = run.flow("toKafka");
    const { account } = flow;
    run.allow(1);
    await flow.allSent();
    await account.until(() => account.hasArrived(account.size - 1));
    for (const index of account.missing()) {
      if (!delivered.has(index)) account.excuseIndex(index, FORGOTTEN);
    }
  };
}
