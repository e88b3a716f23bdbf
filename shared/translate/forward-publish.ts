import type { AssetDataset } from "../model/device.ts";
import type { Publish } from "../model/publish.ts";
import type { Translation } from "../model/translation.ts";
import { topicNameProblem } from "../topics/topic-name.ts";
import { secondsLeft } from "./expiry.ts";

/**
 * What an asset forwards of a received message: the same payload and properties, to the dataset's own topic or to
 * `<prefix>/<incoming topic>` (S-61), without a prefix to the same topic of the other broker. The Message Expiry Interval is what is left of it, or the dataset's own.
 */
export function forwardPublish(
  dataset: AssetDataset,
  topicMappingPrefix: string | undefined,
): (publish: Publish, receivedAt: number, now: number) => Translation<Publish> {
  const { topic, qos, retain, ttl } = dataset;
  const prefix = topicMappingPrefix === undefined ? "" : `${topicMappingPrefix}/`;
  return (publish, receivedAt, now) => {
    const { messageExpiryInterval: interval, ...others } = publish.properties;
    const left = interval === undefined ? undefined : secondsLeft(interval, receivedAt, now);
    if (left !== undefined && left <= 0) return { kind: "expired" };
    const topicName = topic ?? prefix + publish.topicName;
    const problem = topicNameProblem(topicName);
    if (problem !== undefined)
      return { kind: "rejected", code: "TOPIC_NAME_INVALID", reason: problem };
    const expiry = ttl ?? left;
    const properties = expiry === undefined ? others : { ...others, messageExpiryInterval: expiry };
    return {
      kind: "translated",
      message: { topicName, payload: publish.payload, qos, retain, properties },
      removed: [],
    };
  };
}
