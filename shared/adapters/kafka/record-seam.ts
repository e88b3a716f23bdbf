/**
 * Where our code meets kafkajs below its public surface. kafkajs keeps the session: connections, SASL, metadata, groups. Ours are the
 * records: its codec keeps headers in a plain object (order between names, integer-like names and `constructor` are lost) and is slow.
 * Clients that are not ours keep kafkajs as it is, but for its idle timer.
 */
import ConsumerGroup from "kafkajs/src/consumer/consumerGroup.js";
import RequestQueue from "kafkajs/src/network/requestQueue/index.js";
import { createErrorFromCode } from "kafkajs/src/protocol/error.js";
import requests from "kafkajs/src/protocol/requests/index.js";
import { decodeFetchResponse } from "./fetch-response.ts";
import type { JoinHook } from "./join-hook.ts";
import { kafkaError } from "./kafka-errors.ts";
import {
  encodeProduceRequest,
  isOurRequest,
  type ProduceOptions,
  sequencesOf,
} from "./produce-request.ts";
import type { RequestStamps } from "./producer-sequences.ts";
import { joinStatically, withGroupInstance } from "./static-membership.ts";

/** As `rackId` of a consumer: its fetch responses become {@link FetchedChunk}s. It never goes over the wire. */
export const OUR_CONSUMER = "isthmus:our-consumer";

type Requests = (typeof requests)["requests"];
type Protocol = ReturnType<ReturnType<Requests["Fetch"]["protocol"]>>;
type Options = Record<string, unknown>;

/** The versions that know group instance ids; whoever joins with an older one is a dynamic member. */
const JOIN_STATICALLY_FROM = 5;
const STATIC_FROM = 3;

let patched = false;

/** Puts our code in place, once per process. @throws TypeError when kafkajs is not built as version 2.2.4 is */
export function useOurCodec(): void {
  if (patched) return;
  const { prototype } = RequestQueue;
  if (typeof prototype.scheduleCheckPendingRequests !== "function") throw notAsExpected("queue");
  if (typeof ConsumerGroup.prototype.fetch !== "function") throw notAsExpected("consumer group");
  change("Fetch", 4, fetchOurs);
  change("Produce", 3, produceOurs);
  change("JoinGroup", 0, joinOurs);
  change("SyncGroup", STATIC_FROM, (make, options) => make(withGroupInstance(options)));
  change("Heartbeat", STATIC_FROM, (make, options) => make(withGroupInstance(options)));
  change("LeaveGroup", STATIC_FROM, (make, options) => make(withGroupInstance(options)));
  change("Metadata", 0, listAll);
  quietTimer(prototype);
  tellAssignment(ConsumerGroup.prototype);
  patched = true;
}

/** From `version` on, lets `wrap` change what kafkajs made of the options of a request. */
function change(
  name: keyof Requests,
  from: number,
  wrap: (make: (options: Options) => Protocol, options: Options, version: number) => Protocol,
): void {
  const definition = requests.requests[name];
  if (typeof definition?.protocol !== "function") throw notAsExpected(`${name} request`);
  const original = definition.protocol;
  definition.protocol = ({ version }) => {
    const make = original({ version });
    if (version < from) return make;
    return (options) => wrap(make, options, version);
  };
}

function notAsExpected(what: string): TypeError {
  return new TypeError(`Cannot extend the ${what} of kafkajs: it must be version 2.2.4`);
}

function fetchOurs(
  make: (options: Options) => Protocol,
  options: Options,
  version: number,
): Protocol {
  if (options["rackId"] !== OUR_CONSUMER) return make(options);
  const protocol = make({ ...options, rackId: "" });
  const { parse } = protocol.response;
  return {
    ...protocol,
    response: { parse, decode: async (raw) => decodeFetchResponse(raw, version) },
  };
}

function produceOurs(make: (options: Options) => Protocol, options: Options): Protocol {
  const protocol = make(options);
  const ours = options as unknown as ProduceOptions;
  if (!isOurRequest(ours)) return protocol;
  const stamps = sequencesOf(ours)?.forRequest();
  // kafkajs copies `buffer` behind its own request header, and looks at `buf` to tell that this is an encoder
  const encode = async (): Promise<unknown> => {
    const buffer = encodeProduceRequest(ours, Date.now(), stamps);
    return { buffer, buf: buffer };
  };
  return {
    request: { ...protocol.request, encode },
    response: {
      ...protocol.response,
      parse: (data) => {
        const answer = data as ProduceAnswer;
        if (stamps !== undefined) settle(stamps, answer);
        return parseOurs(protocol, answer);
      },
    },
  };
}

interface ProduceAnswer {
  readonly topics: readonly {
    readonly topicName: string;
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number }[];
  }[];
}

/** A refusal that is not final leaves a doubt: Kafka also says so of what it has written and not yet replicated. */
function settle(stamps: RequestStamps, { topics }: ProduceAnswer): void {
  for (const { topicName, partitions } of topics) {
    for (const { partition, errorCode } of partitions) {
      const isWritten = errorCode === 0;
      if (isWritten || isFinal(errorCode)) stamps.settle(topicName, partition, isWritten);
    }
  }
}

function isFinal(errorCode: number): boolean {
  return !kafkaError(createErrorFromCode(errorCode), "Cannot send to", "message").retryable;
}

/**
 * kafkajs throws the error of one partition and with it the success of all others, which would then be written twice. It is to throw where
 * it mends something by that: when every partition asks for another attempt. Else the producer looks at the codes.
 */
async function parseOurs(protocol: Protocol, data: ProduceAnswer): Promise<unknown> {
  const partitions = data.topics.flatMap((topic) => topic.partitions);
  const mends = partitions.every(({ errorCode }) => retriable(errorCode));
  return mends ? protocol.response.parse(data) : data;
}

function retriable(errorCode: number): boolean {
  return errorCode !== 0 && createErrorFromCode(errorCode).retriable;
}

/** kafkajs joins again for six reasons and tells of two of them: this is the one place that all of them pass. */
function joinOurs(make: (options: Options) => Protocol, given: Options, version: number): Protocol {
  const protocols = given["groupProtocols"] as readonly JoinHook[];
  const { options, onJoined } = joinStatically(given, version >= JOIN_STATICALLY_FROM);
  const protocol = make(options);
  const { encode } = protocol.request;
  const { parse } = protocol.response;
  const encodeLater = async (): Promise<unknown> => {
    for (const { beforeJoin } of protocols) await beforeJoin?.();
    return encode();
  };
  const parseJoined = async (data: unknown): Promise<unknown> => {
    const joined = (await parse(data)) as { memberId: string };
    onJoined(joined.memberId);
    return joined;
  };
  return {
    ...protocol,
    request: { ...protocol.request, encode: encodeLater },
    response: { ...protocol.response, parse: parseJoined },
  };
}

/** Asked for all topics, kafkajs fails when any topic of the cluster has an error, be it a stranger's. */
function listAll(make: (options: Options) => Protocol, options: Options): Protocol {
  const protocol = make(options);
  const topics = options["topics"] as readonly string[] | undefined;
  if (topics !== undefined && topics.length > 0) return protocol;
  const { decode } = protocol.response;
  return { ...protocol, response: { decode, parse: async (data) => data } };
}

/** kafkajs runs a timer of 1 ms per connection for ever; it has something to look at only while requests wait. */
function quietTimer(queue: (typeof RequestQueue)["prototype"]): void {
  const schedule = queue.scheduleCheckPendingRequests;
  queue.scheduleCheckPendingRequests = function scheduleIfPending(this: typeof queue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}

/**
 * kafkajs hands on what was fetched before a rebalance after it too, as if it had been fetched from the new position: everything between the
 * committed offset and it would be passed over. Its batches know here whether the assignment that they were fetched for still holds.
 */
function tellAssignment(group: (typeof ConsumerGroup)["prototype"]): void {
  const { fetch } = group;
  group.fetch = async function fetchForAssignment(this: typeof group, nodeId) {
    const { offsetManager } = this;
    const batches = await fetch.call(this, nodeId);
    for (const batch of batches) batch.isCurrent = () => this.offsetManager === offsetManager;
    return batches;
  };
}
