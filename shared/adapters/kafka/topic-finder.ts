import type { Admin } from "kafkajs";
import type { Log } from "../../engine/ports.ts";
import type { KafkaEndpoint } from "../../model/endpoint.ts";
import type { TopicSelector } from "../../model/route.ts";
import { topicSelectorMatches } from "../../topics/kafka-topic.ts";
import { within } from "../../within.ts";
import { type KafkaClient, kafkaClient } from "./kafka-client.ts";
import { kafkaError } from "./kafka-errors.ts";

export interface TopicFinderOptions {
  readonly endpoint: KafkaEndpoint;
  readonly clientId: string;
  readonly topics: readonly TopicSelector[];
  readonly neverMatched: readonly string[];
  readonly log: Log;
}

export interface FoundTopics {
  /** Sorted. */
  readonly topics: readonly string[];
  /** Asked for by name, and not there (yet). */
  readonly missing: readonly string[];
}

const DISCONNECT_MS = 2_000;

/** Finds the topics there are to read: by name, and all that the patterns match now; Kafka's own ones only by name (S-30). */
export class TopicFinder {
  private readonly options: TopicFinderOptions;
  private readonly names: readonly string[];
  private readonly patterns: readonly TopicSelector[];
  private open: { readonly client: KafkaClient; readonly admin: Admin } | undefined;

  constructor(options: TopicFinderOptions) {
    this.options = options;
    const names = options.topics.flatMap((selector) =>
      selector.kind === "name" ? [selector.topic] : [],
    );
    this.names = [...new Set(names)];
    this.patterns = options.topics.filter((selector) => selector.kind === "pattern");
  }

  /** @throws BridgeError, not retryable when a topic asked for by name may not be read */
  async find(): Promise<FoundTopics> {
    const client = this.open?.client ?? kafkaClient(this.options);
    try {
      const admin = this.open?.admin ?? client.kafka.admin();
      if (this.open === undefined) await admin.connect();
      this.open = { client, admin };
      const existing = await admin.listTopics();
      const missing = this.names.filter((name) => !existing.includes(name));
      for (const name of missing) await this.mayExist(admin, name);
      const topics = existing.filter((topic) => this.isWanted(topic)).toSorted();
      return { topics, missing };
    } catch (cause) {
      await this.close();
      client.abandon();
      throw client.error(cause, "Cannot read from");
    }
  }

  async close(): Promise<void> {
    const { open } = this;
    this.open = undefined;
    if (open === undefined) return;
    await within(DISCONNECT_MS, open.admin.disconnect());
    open.client.abandon();
  }

  private isWanted(topic: string): boolean {
    if (this.names.includes(topic)) return true;
    if (topic.startsWith("__") || this.options.neverMatched.includes(topic)) return false;
    return this.patterns.some((selector) => topicSelectorMatches(selector, topic));
  }

  /** A list leaves topics out that this user may not see; asked for one of them, the broker says why. */
  private async mayExist(admin: Admin, topic: string): Promise<void> {
    try {
      await admin.fetchTopicMetadata({ topics: [topic] });
    } catch (cause) {
      const error = kafkaError(cause, `Cannot read topic "${topic}"`);
      if (!error.retryable) throw error;
    }
  }
}
