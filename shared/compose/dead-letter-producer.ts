import type { RecordProducer } from "../engine/ports.ts";
import type { KafkaEndpoint } from "../model/endpoint.ts";
import type { Route } from "../model/route.ts";
import { packLetter } from "../translate/pack-letter.ts";
import type { HostContext } from "./context.ts";
import { lazyProducer } from "./lazy-producer.ts";
import { kafkaClientId } from "./names.ts";
import { openProducer, writesByAmqp } from "./producer.ts";

/** Dead letters wait for all replicas and are never compressed: there are few, and none may be lost. */
export function deadLetterProducer(
  route: Route,
  endpoint: KafkaEndpoint,
  host: HostContext,
): RecordProducer {
  const producer = lazyProducer(() =>
    openProducer(route, endpoint, host, {
      clientId: `${kafkaClientId(route, host.instance)}-dead-letters`,
      acks: -1,
      compression: "None",
    }),
  );
  if (!writesByAmqp(route, endpoint, host)) return producer;
  return { ...producer, send: (records) => producer.send(records.map(packLetter)) };
}
