import type { ConnectionStatus } from "../engine/ports.ts";
import type { RouteStatus } from "../engine/status.ts";

/** Whether everything runs, and if not, why: one entry per instance of a route that does not. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly { readonly route: string; readonly reason: string }[];
}

function down(name: string, side: ConnectionStatus): string[] {
  if (side.connected) return [];
  const what = `${name} is not connected`;
  return [side.detail ? `${what}: ${side.detail}` : what];
}

function reasonOf(status: RouteStatus): string | undefined {
  const causes = [...down("Kafka", status.kafka), ...down("MQTT", status.mqtt)];
  const { detail } = status;
  // a route that waits for a connection repeats what the connection says
  if (detail && !causes.some((cause) => cause.endsWith(detail))) causes.unshift(detail);
  if (status.state === "running" && causes.length === 0) return undefined;
  if (status.state === "running") return causes.join(", ");
  return causes.length === 0 ? status.state : `${status.state}: ${causes.join(", ")}`;
}

/** Ready means that every instance of every route runs with both sides connected. */
export function readiness(statuses: readonly RouteStatus[]): Readiness {
  const reasons: { route: string; reason: string }[] = [];
  for (const status of statuses) {
    const reason = reasonOf(status);
    if (reason === undefined) continue;
    const { route, instance } = status;
    reasons.push({ route: instance === 0 ? route : `${route} (instance ${instance})`, reason });
  }
  if (statuses.length === 0) reasons.push({ route: "", reason: "no route has started yet" });
  return { ready: reasons.length === 0, reasons };
}
