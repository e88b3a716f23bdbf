import { BridgeError } from "../errors.ts";
import type { CanaryMark } from "../verify/canary.ts";
import type { CanaryPath } from "../verify/canary-path.ts";
import type { CanaryShape } from "../verify/canary-shape.ts";
import type { HostContext } from "./context.ts";

/** A canary as it came out at the other end. */
export interface ArrivedCanary {
  readonly mark: CanaryMark;
  readonly shape: CanaryShape;
  /** Of the Kafka topic where it arrived; 0 in MQTT. */
  readonly partition: number;
}

export interface CanaryRequest {
  /** Of the marks: canaries of other runs are passed over. */
  readonly run: string;
  readonly path: CanaryPath;
  /** Milliseconds since the Unix epoch, with fractions: what `sentAt` is. */
  now(): number;
  arrived(canary: ArrivedCanary): void;
  /** A canary is in a dead-letter topic on its way. */
  deadLettered(mark: CanaryMark, code: string): void;
}

/** What sends canaries or receives them. */
export interface CanaryEnd {
  stop(): Promise<void>;
}

/** Adapters wait for an unreachable broker without end; someone before a terminal does not. */
export async function inTime<
  T extends CanaryEnd & { status?(): { readonly detail?: string } | undefined },
>(
  started: Promise<void>,
  end: T,
  { startTimeoutMs }: HostContext,
  code: "KAFKA_UNAVAILABLE" | "MQTT_UNAVAILABLE",
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const detail = end.status?.()?.detail;
      const broker = code === "KAFKA_UNAVAILABLE" ? "Kafka" : "The MQTT broker";
      const what = `${broker} did not answer within ${startTimeoutMs / 1000} s`;
      const message = detail === undefined ? what : `${what}: ${detail}`;
      reject(new BridgeError(code, message, { retryable: true }));
    }, startTimeoutMs);
  });
  try {
    await Promise.race([started, late]);
    return end;
  } catch (cause) {
    started.catch(() => undefined);
    await end.stop();
    throw cause;
  } finally {
    clearTimeout(timer);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
