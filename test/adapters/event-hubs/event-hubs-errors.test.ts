import { createRequire } from "node:module";
import type { EventDataBatch } from "@azure/event-hubs";
import { describe, expect, test } from "vitest";
import { EVENT_HUBS_ERRORS } from "../../../shared/adapters/event-hubs/event-hubs-error-table.ts";
import { eventHubsError } from "../../../shared/adapters/event-hubs/event-hubs-errors.ts";
import { eventHubsRecordProducer } from "../../../shared/adapters/event-hubs/event-hubs-record-producer.ts";
import type { HubClient } from "../../../shared/adapters/event-hubs/hub-client.ts";
import { DeadLetters } from "../../../shared/engine/dead-letters.ts";
import { MqttToKafka } from "../../../shared/engine/mqtt-to-kafka.ts";
import { newCounters } from "../../../shared/engine/status.ts";
import { BridgeError, type ErrorCode } from "../../../shared/errors.ts";
import { NETWORK_ERRORS } from "../../../shared/network-errors.ts";
import { publishToRecord } from "../../../shared/translate/publish-to-record.ts";
import { noLog } from "../../support/kafka-ends.ts";
import { bytes, MemorySubscriber, publish } from "../../support/memory-ports.ts";
import { quickClock } from "../../support/mqtt-bench.ts";
import { mqttToKafkaRoute } from "../../support/routes.ts";

interface CoreAmqp {
  readonly ConditionErrorNameMapper: Readonly<Record<string, string>>;
  readonly SystemErrorConditionMapper: Readonly<Record<string, string>>;
  readonly retryableErrors: readonly string[];
  translate(error: object): Error & { readonly code?: string };
}

const require = createRequire(import.meta.url);
/** The part of the SDK that makes its errors, of the very version that it uses. */
const sdk = createRequire(require.resolve("@azure/event-hubs"))("@azure/core-amqp") as CoreAmqp;

/** An error as the SDK makes it of what the service said. */
const said = (condition: string, description = "said the service"): Error =>
  sdk.translate(Object.assign(new Error(description), { condition, description }));

const several = (...errors: readonly Error[]): Error => new AggregateError(errors, "several");

const NO_CLAIM =
  "Unauthorized access. 'Send' claim(s) are required to perform this operation. Resource: 'sb://plant.servicebus.windows.net/hub'.";

/** What a record can never get past (S-54); whatever else the service says is tried again. */
const DEAD_LETTER: Readonly<Record<string, ErrorCode>> = {
  "amqp:link:message-size-exceeded": "KAFKA_MESSAGE_TOO_LARGE",
  "com.microsoft:argument-error": "EVENT_HUBS_REFUSED",
  "com.microsoft:argument-out-of-range": "EVENT_HUBS_REFUSED",
  "amqp:decode-error": "EVENT_HUBS_REFUSED",
  "amqp:invalid-field": "EVENT_HUBS_REFUSED",
  "amqp:not-implemented": "EVENT_HUBS_REFUSED",
};

interface Case {
  readonly name: string;
  readonly cause: Error;
  readonly fate: "retry" | "dead-letter";
  readonly code?: ErrorCode;
}

const socket = (code: string): Error =>
  sdk.translate(
    Object.assign(new Error(`connect ${code}`), { code, errno: -1, syscall: "connect" }),
  );

const named = (name: string): Error =>
  sdk.translate(Object.assign(new Error("text\nstack"), { name }));

const cases: readonly Case[] = [
  ...Object.keys(sdk.ConditionErrorNameMapper).map((condition): Case => {
    const code = DEAD_LETTER[condition];
    const cause = said(condition);
    if (code === undefined) return { name: condition, cause, fate: "retry" };
    return { name: condition, cause, fate: "dead-letter", code };
  }),
  {
    name: "a missing Send claim",
    cause: said("amqp:unauthorized-access", NO_CLAIM),
    fate: "dead-letter",
    code: "KAFKA_NOT_AUTHORIZED",
  },
  {
    name: "a signature that is not valid",
    cause: said("amqp:unauthorized-access", "Put token failed. status-code: 401, InvalidSignature"),
    fate: "retry",
    code: "EVENT_HUBS_REFUSED",
  },
  {
    name: "an event hub that is not there",
    cause: said("amqp:not-found", "The messaging entity 'sb://x/y' could not be found."),
    fate: "retry",
    code: "KAFKA_TOPIC_MISSING",
  },
  {
    name: "retries of the SDK that all met a missing claim",
    cause: several(...[1, 2, 3].map(() => said("amqp:unauthorized-access", NO_CLAIM))),
    fate: "dead-letter",
    code: "KAFKA_NOT_AUTHORIZED",
  },
  {
    name: "retries of the SDK that met this and that",
    cause: several(said("com.microsoft:server-busy"), said("com.microsoft:argument-error")),
    fate: "dead-letter",
    code: "EVENT_HUBS_REFUSED",
  },
  {
    name: "all addresses of a host",
    cause: sdk.translate(several(socket("ECONNREFUSED"), socket("ENETUNREACH"))),
    fate: "retry",
    code: "EVENT_HUBS_UNAVAILABLE",
  },
  ...["OperationTimeoutError", "InsufficientCreditError", "SendOperationFailedError"].map(
    (name): Case => ({ name, cause: named(name), fate: "retry", code: "EVENT_HUBS_UNAVAILABLE" }),
  ),
  { name: "TypeError", cause: new TypeError("x"), fate: "dead-letter", code: "EVENT_HUBS_REFUSED" },
  {
    name: "RangeError",
    cause: new RangeError("x"),
    fate: "dead-letter",
    code: "EVENT_HUBS_REFUSED",
  },
  { name: "something new", cause: said("com.microsoft:new"), fate: "retry" },
  ...NETWORK_ERRORS.flatMap(({ codes, verdict }) =>
    codes.map(
      (code): Case => ({
        name: code,
        cause: socket(code),
        fate: "retry",
        code: verdict === "stop" ? "EVENT_HUBS_REFUSED" : "EVENT_HUBS_UNAVAILABLE",
      }),
    ),
  ),
];

describe("the table of Event Hubs' errors", () => {
  const names = new Set(EVENT_HUBS_ERRORS.flatMap((row) => row.names));

  test("has every error name of the SDK", () => {
    const known = [...Object.values(sdk.ConditionErrorNameMapper), ...sdk.retryableErrors];
    expect(known.length).toBeGreaterThan(50);
    expect(known.filter((name) => !names.has(name))).toEqual([]);
  });

  test("and that of the network every code that the SDK knows", () => {
    const codes = NETWORK_ERRORS.flatMap((row) => row.codes);
    const missing = Object.keys(sdk.SystemErrorConditionMapper).filter((c) => !codes.includes(c));
    expect(missing).toEqual([]);
    expect(new Set(codes).size).toBe(codes.length);
  });

  test("says of every row what an operator does", () => {
    for (const { operator } of [...EVENT_HUBS_ERRORS, ...NETWORK_ERRORS]) {
      expect(operator).toMatch(/^[A-Z].+\.$/u);
    }
  });
});

describe("eventHubsError()", () => {
  test.each(cases)("$name: $fate (S-54)", ({ cause, fate, code }) => {
    const error = eventHubsError(cause, "Cannot send");
    expect(error.retryable).toBe(fate === "retry");
    if (code !== undefined) expect(error.code).toBe(code);
    expect(error.message).toMatch(/^Cannot send: .+$/u);
  });

  test.each(
    NETWORK_ERRORS.flatMap(({ codes, verdict }) => codes.map((code) => [code, verdict] as const)),
  )("%s: a start is to %s", (code, verdict) => {
    const error = eventHubsError(socket(code), "Cannot open", "start");
    expect(error.retryable).toBe(verdict === "retry");
    if (verdict === "stop") expect(error.message).toMatch(/^Cannot open: TLS failed: /u);
  });

  test("what is no error at all may pass", () => {
    expect(eventHubsError("text", "Cannot send")).toMatchObject({
      code: "EVENT_HUBS_UNAVAILABLE",
      retryable: true,
      message: "Cannot send: text",
    });
  });

  test("a failed token stays what it is, through the SDK's own retries", () => {
    const token = new BridgeError("IDENTITY_UNAVAILABLE", "no identity", { retryable: true });
    expect(eventHubsError(several(token, token), "Cannot send")).toBe(token);
  });
});

/** A hub that refuses the first `times` batches in which the text is. */
function refusingHub(text: string, refusal: Error, times: number, taken: string[]): HubClient {
  let left = times;
  return {
    getPartitionIds: () => Promise.resolve(["0"]),
    createBatch: () => {
      const events: string[] = [];
      const batch = {
        events,
        get count(): number {
          return events.length;
        },
        tryAdd: ({ body }: { body: unknown }): boolean => events.push(String(body)) > 0,
      };
      return Promise.resolve(batch as unknown as EventDataBatch);
    },
    sendBatch: (batch) => {
      const { events } = batch as unknown as { events: string[] };
      if (left > 0 && events.includes(text)) {
        left -= 1;
        return Promise.reject(refusal);
      }
      taken.push(...events);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

async function inward(hubs: (name: string) => Promise<HubClient>) {
  const clock = quickClock(1000);
  const subscriber = new MemorySubscriber();
  const counters = newCounters();
  const failures: BridgeError[] = [];
  const route = mqttToKafkaRoute({ kafkaTopic: "hub", deadLetterTopic: "dead" });
  const producer = eventHubsRecordProducer({
    endpoint: {
      bootstrapServers: ["plant.servicebus.windows.net:9093"],
      isEventHubs: true,
      sasl: {
        mechanism: "plain",
        username: "$ConnectionString",
        password:
          "Endpoint=sb://plant.servicebus.windows.net/;SharedAccessKeyName=all;SharedAccessKey=secret",
      },
    },
    log: noLog,
    connect: hubs,
  });
  const engine = new MqttToKafka({
    route,
    translate: publishToRecord(route, 0),
    subscription: { topicFilters: ["factory/#"], qos: 1 },
    subscriber,
    producer,
    deadLetters: new DeadLetters({ producer, clock, log: noLog }),
    clock,
    log: noLog,
    counters,
    budgetBytes: 1_000_000,
    onFailed: (error) => failures.push(error),
  });
  await engine.start();
  for (const text of ["0", "1", "2"]) {
    subscriber.deliver(publish({ payload: bytes(text) }), Date.now());
  }
  await subscriber.untilAcknowledged(3);
  await engine.stop(0);
  expect(failures).toEqual([]);
  expect(counters).toMatchObject({ received: 3, released: 0, inFlight: 0 });
  return counters;
}

describe("an MQTT to Event Hubs route does with every refusal of an event what the table says", () => {
  test.each(cases)("$name: $fate (S-54)", async ({ cause, fate }) => {
    const taken: Record<string, string[]> = { hub: [], dead: [] };
    const times = fate === "retry" ? 2 : Number.POSITIVE_INFINITY;
    const hub = refusingHub("1", cause, times, taken["hub"] ?? []);
    const dead = refusingHub("", cause, 0, taken["dead"] ?? []);
    const counters = await inward((name) => Promise.resolve(name === "hub" ? hub : dead));
    const isLetter = fate === "dead-letter";
    expect(taken["dead"]).toEqual(isLetter ? ["1"] : []);
    expect(new Set(taken["hub"])).toEqual(new Set(isLetter ? ["0", "2"] : ["0", "1", "2"]));
    expect(counters).toMatchObject({ delivered: isLetter ? 2 : 3, deadLettered: isLetter ? 1 : 0 });
    expect(counters.retried > 0).toBe(!isLetter);
  });

  test.each([
    ["TypeError", new TypeError("the connection string has no endpoint")],
    ["Error", new Error("cannot load the SDK")],
    ["a BridgeError that is final", new BridgeError("SECRET_INVALID", "no key")],
  ])(
    "a hub that cannot be opened for a %s is opened again, and no event is blamed",
    async (_, cause) => {
      const taken: string[] = [];
      let opened = 0;
      const counters = await inward(() => {
        opened += 1;
        return opened < 3
          ? Promise.reject(cause)
          : Promise.resolve(refusingHub("", cause, 0, taken));
      });
      expect(taken).toEqual(["0", "1", "2"]);
      expect(counters).toMatchObject({ delivered: 3, deadLettered: 0 });
    },
  );
});
