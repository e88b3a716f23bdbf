import { type KafkaTopicTail, kafkaTopicTail } from "../adapters/kafka/kafka-topic-tail.ts";
import { toBridgeError } from "../errors.ts";
import type { KafkaRecord } from "../model/kafka-record.ts";
import type { Route } from "../model/route.ts";
import { DEAD_LETTER_PREFIX } from "../translate/dead-letter.ts";
import { textFromUtf8 } from "../translate/utf8.ts";
import { canaryMark } from "../verify/canary.ts";
import { type CanaryEnd, type CanaryRequest, pause } from "./canary-end.ts";
import type { HostContext } from "./context.ts";
import { kafkaEndpointOf } from "./endpoints.ts";
import { verifierIdentifier } from "./names.ts";

/** The topic may be made by the first dead letter: it is looked for so often. */
const LOOK_AGAIN_MS = 2_000;
const REASON_CODE = `${DEAD_LETTER_PREFIX}reason-code`;

/**
 * Looks for canaries in the dead-letter topics on their way. It is a help and no more: where the user of verify may not read them,
 * what is there counts as lost.
 */
export async function listenToLetters(
  request: CanaryRequest,
  host: HostContext,
): Promise<CanaryEnd> {
  const { first, last } = request.path;
  const isSame =
    first.kafkaConnection === last.kafkaConnection &&
    first.deadLetterTopic === last.deadLetterTopic;
  const readers = (isSame ? [first] : [first, last]).map(
    (route) => new LetterReader(route, request, host),
  );
  await Promise.all(readers.map((reader) => reader.start()));
  return {
    async stop(): Promise<void> {
      await Promise.all(readers.map((reader) => reader.stop()));
    },
  };
}

class LetterReader {
  private readonly route: Route;
  private readonly request: CanaryRequest;
  private readonly host: HostContext;
  private tail: KafkaTopicTail | undefined;
  private stopped = false;

  constructor(route: Route, request: CanaryRequest, host: HostContext) {
    this.route = route;
    this.request = request;
    this.host = host;
  }

  /** Resolves when letters from now on are seen, be it that there is no topic yet. */
  async start(): Promise<void> {
    if (await this.isMissing("end")) void this.waitForTopic();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.tail?.stop();
  }

  private async waitForTopic(): Promise<void> {
    do await pause(LOOK_AGAIN_MS);
    while (!this.stopped && (await this.isMissing("begin")));
  }

  private async isMissing(from: "begin" | "end"): Promise<boolean> {
    const { host, route, request } = this;
    try {
      const endpoint = await kafkaEndpointOf(route.kafkaConnection, host);
      const clientId = `${verifierIdentifier(route, request.run)}-dead-letters`;
      const topic = route.deadLetterTopic;
      this.tail = kafkaTopicTail({ endpoint, clientId, topic, from, log: host.log });
      await this.tail.start((records) => {
        for (const record of records) this.note(record);
      });
      if (this.stopped) await this.tail.stop();
      return false;
    } catch (cause) {
      const error = toBridgeError(cause, "KAFKA_UNAVAILABLE", "Cannot read dead letters");
      host.log("debug", "Dead letters are not looked at", { error: error.message });
      return error.code === "KAFKA_TOPIC_MISSING";
    }
  }

  private note({ value, headers }: KafkaRecord): void {
    const mark = canaryMark(value, headers);
    if (mark?.run !== this.request.run) return;
    const code = headers.find(([name]) => name === REASON_CODE)?.[1] ?? null;
    this.request.deadLettered(mark, (code && textFromUtf8(code)) ?? "unknown");
  }
}
