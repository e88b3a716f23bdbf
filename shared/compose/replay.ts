import { kafkaTopicReader } from "../adapters/kafka/kafka-topic-reader.ts";
import {
  isSelected,
  type LetterSelection,
  type StoredLetter,
  storedLetters,
} from "../engine/dead-letter-log.ts";
import type { RecordProducer, TopicReader } from "../engine/ports.ts";
import { type MarksOwner, mergedResults, type ReplayResult, replay } from "../engine/replay.ts";
import { ReplayMarks } from "../engine/replay-marks.ts";
import type { KafkaEndpoint } from "../model/endpoint.ts";
import type { Route } from "../model/route.ts";
import type { DeadLetter } from "../translate/read-dead-letter.ts";
import type { HostContext } from "./context.ts";
import { deadLetterProducer } from "./dead-letter-producer.ts";
import { type DeadLetterTopic, deadLetterTopics } from "./dead-letter-topics.ts";
import { kafkaEndpointOf } from "./endpoints.ts";
import { kafkaClientId } from "./names.ts";
import { openReplayRoute, openTrial } from "./replay-route.ts";

export interface ListSettings {
  readonly selection: LetterSelection;
  /** How many letters at most. */
  readonly limit: number;
}

export interface SendSettings extends ListSettings {
  /** Translates only, and counts what would come of it. */
  readonly dryRun: boolean;
  /** Messages say that they were sent again, in a last User Property or header. */
  readonly markMessages: boolean;
  /** Ends the replay early: what was taken is let end. */
  readonly stopped: Promise<unknown>;
}

interface OpenTopic extends DeadLetterTopic {
  readonly endpoint: KafkaEndpoint;
  readonly reader: TopicReader;
}

/** The dead letters of all routes of the plan that are selected, topic by topic, the oldest of each first. @throws BridgeError */
export async function* deadLettersOf(
  host: HostContext,
  { selection, limit }: ListSettings,
): AsyncGenerator<StoredLetter> {
  let left = limit;
  for (const wanted of deadLetterTopics(host.plan)) {
    if (left <= 0) return;
    const open = await openTopic(wanted, host);
    try {
      for await (const letter of lettersOf(open)) {
        if (!isSelected(letter, selection)) continue;
        yield letter;
        left -= 1;
        if (left <= 0) return;
      }
    } finally {
      await open.reader.close();
    }
  }
}

/** Sends the dead letters that are selected through their routes again, topic by topic. @throws BridgeError */
export async function sendDeadLetters(
  host: HostContext,
  settings: SendSettings,
): Promise<ReplayResult> {
  const results: ReplayResult[] = [];
  let left = settings.limit;
  for (const wanted of deadLetterTopics(host.plan)) {
    const result = await sendTopic(wanted, host, { ...settings, limit: left });
    results.push(result);
    left -= result.taken;
    if (left <= 0 || result.interrupted) break;
  }
  return mergedResults(results);
}

async function openTopic(wanted: DeadLetterTopic, host: HostContext): Promise<OpenTopic> {
  const endpoint = await kafkaEndpointOf(wanted.route.kafkaConnection, host);
  const reader = kafkaTopicReader({
    endpoint,
    clientId: `${kafkaClientId(wanted.route, host.instance)}-replay`,
    log: host.log,
    patienceMs: host.startTimeoutMs,
  });
  return { ...wanted, endpoint, reader };
}

/** Up to where the topic ends now: what is dead-lettered meanwhile is not met again. */
async function* lettersOf({ topic, reader }: OpenTopic): AsyncGenerator<StoredLetter> {
  yield* storedLetters(reader, await reader.ranges(topic));
}

async function sendTopic(
  wanted: DeadLetterTopic,
  host: HostContext,
  settings: SendSettings,
): Promise<ReplayResult> {
  const { selection, limit, stopped, dryRun, markMessages } = settings;
  const open = await openTopic(wanted, host);
  const producer = deadLetterProducer(wanted.route, open.endpoint, host);
  const closing = [() => producer.stop(), () => open.reader.close()];
  try {
    return await replay({
      letters: lettersOf(open),
      selection,
      limit,
      drainMs: host.drainMs,
      stopped,
      routeOf: async (letter, owner) => {
        const route = routeOf(letter, host);
        if (route === undefined) return undefined;
        const options = { host, markMessages, owner, closing };
        return dryRun ? openTrial(route, options) : await openReplayRoute(route, options);
      },
      marks: dryRun ? undefined : (owner) => marksBy(producer, host, owner),
    });
  } finally {
    await Promise.all(closing.map((close) => close()));
  }
}

function marksBy(producer: RecordProducer, host: HostContext, owner: MarksOwner): ReplayMarks {
  return new ReplayMarks({
    producer,
    clock: host.clock,
    log: host.log,
    onMarked: (letters) => owner.marked(letters),
    onFailed: (error) => owner.failed(error),
  });
}

/** A route of the same name that goes the other way is another route. */
function routeOf({ source, why }: DeadLetter, { plan }: HostContext): Route | undefined {
  const direction = source === "kafka" ? "kafkaToMqtt" : "mqttToKafka";
  return plan.routes.find((route) => route.name === why.route && route.direction === direction);
}
