import type { RejectionCode, RemovalReason } from "../model/translation.ts";
import type { ConnectionStatus } from "./ports.ts";

/**
 * What one route has counted since it started. At rest,
 * received = delivered + expired + filtered + deadLettered + released; while running, inFlight makes up the difference.
 */
export interface RouteCounters {
  received: number;
  delivered: number;
  expired: number;
  filtered: number;
  deadLettered: number;
  /** Given back to its source untouched, to be read again (rebalance, stop). */
  released: number;
  /** Taken in and not yet delivered, expired, filtered, dead-lettered or released. */
  inFlight: number;
  inFlightBytes: number;
  receivedBytes: number;
  /** Sent again after a transient failure. */
  retried: number;
  /** Dead letters by reason. */
  readonly rejected: Partial<Record<RejectionCode | string, number>>;
  /** Headers left out by reason (S-21). */
  readonly removedHeaders: Partial<Record<RemovalReason, number>>;
}

export type RouteState = "starting" | "running" | "waiting" | "stopped" | "failed";

export interface RouteStatus {
  readonly route: string;
  /** `mqttToMqtt`: assets that are forwarded; then all connections are in `mqtt`. */
  readonly direction: "kafkaToMqtt" | "mqttToKafka" | "mqttToMqtt";
  readonly from: string;
  readonly to: string;
  readonly instance: number;
  readonly state: RouteState;
  readonly kafka: ConnectionStatus;
  readonly mqtt: ConnectionStatus;
  /** Why it waits or has failed. */
  readonly detail?: string;
  readonly counters: Readonly<RouteCounters>;
}

export function newCounters(): RouteCounters {
  return {
    received: 0,
    delivered: 0,
    expired: 0,
    filtered: 0,
    deadLettered: 0,
    released: 0,
    inFlight: 0,
    inFlightBytes: 0,
    receivedBytes: 0,
    retried: 0,
    rejected: {},
    removedHeaders: {},
  };
}
