import { DeadLetters } from "../engine/dead-letters.ts";
import type { ConnectionStatus } from "../engine/ports.ts";
import type { ReplayOwner, ReplayRoute } from "../engine/replay.ts";
import { kafkaToMqttReplay, mqttToKafkaReplay, trialReplay } from "../engine/replay-routes.ts";
import { newCounters, type RouteCounters } from "../engine/status.ts";
import type { KafkaToMqttRoute, MqttToKafkaRoute, Route } from "../model/route.ts";
import type { Translation, TranslationContext } from "../model/translation.ts";
import { publishToRecord } from "../translate/publish-to-record.ts";
import type { DeadLetter } from "../translate/read-dead-letter.ts";
import { recordToPublish } from "../translate/record-to-publish.ts";
import type { HostContext, LiveRoute } from "./context.ts";
import { deadLetterProducer } from "./dead-letter-producer.ts";
import { kafkaEndpointOf } from "./endpoints.ts";
import { parts } from "./kafka-to-mqtt-route.ts";
import { kafkaClientId } from "./names.ts";
import { openProducer } from "./producer.ts";
import { routeStatus } from "./route-status.ts";
import { startInTime } from "./start-in-time.ts";

export interface ReplayRouteOptions {
  readonly host: HostContext;
  /** Messages say that they were sent again, in a last User Property or header. */
  readonly markMessages: boolean;
  readonly owner: ReplayOwner;
  /** Is given what is to be closed after the route was stopped. */
  readonly closing: (() => Promise<void>)[];
}

const UP: ConnectionStatus = { connected: true };

/** The route, taking its messages from dead letters, and started. @throws BridgeError when it can not start */
export async function openReplayRoute(
  route: Route,
  options: ReplayRouteOptions,
): Promise<ReplayRoute> {
  return route.direction === "kafkaToMqtt"
    ? await openKafkaToMqtt(route, options)
    : await openMqttToKafka(route, options);
}

/** The route's translation alone: nothing is connected. */
export function openTrial(route: Route, { host, owner }: ReplayRouteOptions): ReplayRoute {
  return trialReplay(trialOf(route, host), newCounters(), owner);
}

async function openKafkaToMqtt(
  route: KafkaToMqttRoute,
  { host, markMessages, owner, closing }: ReplayRouteOptions,
): Promise<ReplayRoute> {
  const { pump, letters, deadLetters, publisher, counters } = await parts(route, host);
  closing.push(async () => {
    deadLetters.stop();
    await letters.stop();
  });
  const replay = kafkaToMqttReplay({ ...pump, markMessages }, owner);
  return await started(route, host, replay, () => ({
    kafka: UP,
    mqtt: publisher.status?.() ?? UP,
    counters,
  }));
}

async function openMqttToKafka(
  route: MqttToKafkaRoute,
  { host, markMessages, owner, closing }: ReplayRouteOptions,
): Promise<ReplayRoute> {
  const { clock, log, instance } = host;
  const kafka = await kafkaEndpointOf(route.kafkaConnection, host);
  const letters = deadLetterProducer(route, kafka, host);
  const deadLetters = new DeadLetters({ producer: letters, clock, log });
  closing.push(async () => {
    deadLetters.stop();
    await letters.stop();
  });
  // whatever acks the route asks for: a mark must not call safe what is not
  const producer = openProducer(route, kafka, host, {
    clientId: kafkaClientId(route, instance),
    acks: -1,
    compression: route.compression,
  });
  const counters = newCounters();
  const replay = mqttToKafkaReplay(
    {
      route,
      translate: publishToRecord(route, instance),
      producer,
      deadLetters,
      clock,
      log,
      counters,
      budgetBytes: host.routeBudgetBytes,
      markMessages,
    },
    owner,
  );
  return await started(route, host, replay, () => ({
    kafka: producer.status?.() ?? UP,
    mqtt: UP,
    counters,
  }));
}

interface Sides {
  readonly kafka: ConnectionStatus;
  readonly mqtt: ConnectionStatus;
  readonly counters: RouteCounters;
}

async function started(
  route: Route,
  host: HostContext,
  replay: ReplayRoute,
  sides: () => Sides,
): Promise<ReplayRoute> {
  const { instance } = host;
  const starting: Pick<LiveRoute, "start" | "status"> = {
    start: () => replay.start(),
    status: () =>
      routeStatus(route, {
        ...sides(),
        instance,
        lifecycle: "starting",
        failed: false,
        trouble: undefined,
      }),
  };
  try {
    await startInTime(starting, host);
  } catch (cause) {
    await replay.stop(0);
    throw cause;
  }
  return replay;
}

function trialOf(
  route: Route,
  { clock, instance }: HostContext,
): (letter: DeadLetter) => Translation<unknown> {
  const context = (): TranslationContext => ({ now: clock.now(), newId: () => clock.newId() });
  if (route.direction === "kafkaToMqtt") {
    const translate = recordToPublish(route);
    return (letter) => translate((letter as Of<"kafka">).record, context());
  }
  const translate = publishToRecord(route, instance);
  return (letter) => translate(letter as Of<"mqtt">, context());
}

/** A route is given only the letters of its own direction. */
type Of<Source> = Extract<DeadLetter, { readonly source: Source }>;
