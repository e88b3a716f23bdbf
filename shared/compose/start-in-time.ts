import type { RouteStatus } from "../engine/status.ts";
import { BridgeError } from "../errors.ts";
import type { HostContext, LiveRoute } from "./context.ts";

/** Adapters wait for an unreachable broker without end; a start does not, unless it is told to. @throws BridgeError */
export async function startInTime(
  route: Pick<LiveRoute, "start" | "status">,
  host: HostContext,
): Promise<void> {
  const started = route.start();
  if (host.startTimeoutMs === 0) return started;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(notStarted(route.status(), host)), host.startTimeoutMs);
  });
  try {
    await Promise.race([started, late]);
  } finally {
    clearTimeout(timer);
    started.catch(() => undefined);
  }
}

function notStarted(status: RouteStatus, host: HostContext): BridgeError {
  const { kafka, mqtt } = status;
  // one side is tried after the other: the one with something to tell is the one that holds the start up
  const mqttHolds = !mqtt.connected && (kafka.connected || mqtt.detail !== undefined);
  const [side, code, told] = mqttHolds
    ? (["MQTT", "MQTT_UNAVAILABLE", mqtt.detail] as const)
    : (["Kafka", "KAFKA_UNAVAILABLE", kafka.detail] as const);
  const detail = told ?? status.detail;
  return new BridgeError(
    code,
    `Cannot start route "${status.route}": ${side} did not answer within ${host.startTimeoutMs / 1000} s${detail === undefined ? "" : `: ${detail}`}`,
    { retryable: true },
  );
}
