import type { Problem } from "../manifests/problem.ts";
import type { DeviceEndpoint } from "../model/device.ts";
import type { Plan } from "../model/plan.ts";
import type { KafkaToMqttRoute, MqttToKafkaRoute, Route } from "../model/route.ts";
import { eventHubsNamespace, kafkaSettings, mqttSettings } from "./connection-settings.ts";
import { functionName } from "./function-name.ts";
import type {
  AppSetting,
  EventHubsConsumerGroup,
  FunctionPlan,
  PlannedFunction,
} from "./function-plan.ts";
import { httpFunctions, TOPIC_WATCH } from "./host-functions.ts";
import { hostSettings } from "./host-settings.ts";
import { planNotes } from "./plan-notes.ts";
import { planRoles } from "./roles.ts";
import { DELIVERY_RETRY, sourceBinding } from "./source-binding.ts";
import { routePattern, type TopicLock } from "./topic-lock.ts";

/** Often, so that what a pump leaves waiting in its session when it renews itself does not wait long. */
const PUMP_SCHEDULE = "*/10 * * * * *";

/** A timer runs once app-wide; the schedule only says how soon the pump is held open again after it has let go. */
const PUMP_TRIGGER = {
  type: "timerTrigger",
  schedule: PUMP_SCHEDULE,
  runOnStartup: false,
  useMonitor: false,
} as const;

/** What planning gathers on its way. */
interface Draft {
  readonly functions: PlannedFunction[];
  readonly settings: Map<string, AppSetting>;
  readonly consumerGroups: Map<string, EventHubsConsumerGroup>;
  readonly topics: Map<string, readonly string[]>;
  readonly problems: Problem[];
}

/**
 * What these manifests become on Azure Functions: a function for each topic that is read, one for each MQTT subscriber, the app
 * settings they need and the least-privilege roles. `lock` says what regular expressions stand for (S-30). Nothing is connected to.
 */
export function planFunctions(plan: Plan, lock?: TopicLock): FunctionPlan {
  const draft: Draft = {
    functions: [],
    settings: new Map(),
    consumerGroups: new Map(),
    topics: new Map(),
    problems: [],
  };
  for (const setting of hostSettings()) draft.settings.set(setting.name, setting);
  const planned = plan.routes.filter((route) =>
    route.direction === "kafkaToMqtt"
      ? planReader(route, plan, lock, draft)
      : planPumps(route, plan, draft),
  );
  for (const device of plan.devices ?? []) planDevice(device, plan, draft);
  const watched = planned.some((r) => r.direction === "kafkaToMqtt" && routePattern(r));
  const functions = unique(draft, [
    ...draft.functions,
    ...(watched ? [TOPIC_WATCH] : []),
    ...httpFunctions(),
  ]);
  return {
    functions,
    settings: [...draft.settings.values()],
    roles: planRoles(plan, planned, (route) => draft.topics.get(route.name) ?? []),
    consumerGroups: [...draft.consumerGroups.values()],
    alwaysReady: functions
      .filter(({ role, kind }) => role === "pump" || kind === "kafkaTrigger")
      .map(({ name }) => `function:${name}`),
    problems: draft.problems,
    notes: planNotes(plan, planned),
  };
}

function report(draft: Draft, route: Route, message: string, severity: Problem["severity"]): void {
  draft.problems.push({ severity, location: route.location, path: "", message, scope: "flow" });
}

/** The topics that are read, or undefined when that is not known. */
function topicsToRead(
  route: KafkaToMqttRoute,
  lock: TopicLock | undefined,
  draft: Draft,
): readonly string[] | undefined {
  const named = route.topics.flatMap((t) => (t.kind === "name" ? [t.topic] : []));
  const pattern = routePattern(route);
  if (pattern === undefined) return [...new Set(named)];
  const locked =
    lock !== undefined && Object.hasOwn(lock.routes, route.name)
      ? lock.routes[route.name]
      : undefined;
  const command = 'run "isthmus plan --resolve", which writes isthmus.lock.json';
  if (locked === undefined) {
    report(
      draft,
      route,
      `Cannot plan route "${route.name}": a trigger reads one topic, and which topics "${pattern}" matches is not known: ${command}`,
      "error",
    );
    return undefined;
  }
  if (locked.pattern !== pattern) {
    report(
      draft,
      route,
      `Cannot plan route "${route.name}": isthmus.lock.json was written for "${locked.pattern}", the manifest has "${pattern}": ${command}`,
      "error",
    );
    return undefined;
  }
  if (locked.topics.length === 0) {
    report(
      draft,
      route,
      `No topic matched "${pattern}" of route "${route.name}" when isthmus.lock.json was written: ${command}`,
      "warning",
    );
  }
  return [...new Set([...named, ...locked.topics])];
}

function planReader(
  route: KafkaToMqttRoute,
  plan: Plan,
  lock: TopicLock | undefined,
  draft: Draft,
): boolean {
  const kafka = plan.kafkaConnections.get(route.kafkaConnection);
  const topics = topicsToRead(route, lock, draft);
  if (kafka === undefined || topics === undefined) return false;
  const functions: PlannedFunction[] = [];
  const settings = [...routeSettings(route, plan)];
  for (const topic of topics) {
    const binding = sourceBinding(route, topic, kafka);
    if (typeof binding === "string") {
      report(draft, route, `Cannot plan route "${route.name}": ${binding}`, "error");
      return false;
    }
    settings.push(...binding.settings);
    functions.push({
      name: functionName(route.name, topic),
      kind: binding.kind,
      role: "deliver",
      purpose: `Publishes ${binding.kind === "kafkaTrigger" ? "topic" : "event hub"} "${topic}" to MQTT topic "${route.mqttTopic}"`,
      route: route.name,
      topic,
      trigger: binding.trigger,
      retry: DELIVERY_RETRY,
      settings: namesOf([...binding.settings, ...routeSettings(route, plan)]),
    });
    const { consumerGroup } = binding.trigger;
    if (binding.kind === "eventHubTrigger" && typeof consumerGroup === "string") {
      const group = { namespace: eventHubsNamespace(kafka), eventHub: topic, consumerGroup };
      if (consumerGroup !== "$Default") {
        draft.consumerGroups.set(Object.values(group).join("\n"), group);
      }
    }
  }
  draft.topics.set(route.name, topics);
  accept(draft, functions, settings);
  warnOfMqtt(route, plan, draft);
  return true;
}

/** How many subscribers the route's messages are shared among (S-33); without a shared subscription one, or all would be doubled. */
export function subscribersOf(route: MqttToKafkaRoute): number {
  const { sharedSubscription: shared, instances } = route;
  return shared === undefined ? 1 : Math.max(shared.minimumShareNumber, instances);
}

function planPumps(route: MqttToKafkaRoute, plan: Plan, draft: Draft): boolean {
  const kafka = plan.kafkaConnections.get(route.kafkaConnection);
  if (kafka === undefined) return false;
  const settings = routeSettings(route, plan);
  const subscribers = subscribersOf(route);
  const functions = Array.from({ length: subscribers }, (_, instance): PlannedFunction => {
    const part = subscribers === 1 ? "" : ` (subscriber ${instance + 1} of ${subscribers})`;
    return {
      name: functionName(route.name, subscribers === 1 ? undefined : String(instance)),
      kind: "timer",
      role: "pump",
      purpose: `Writes what comes on "${route.topicFilters.join(", ")}" to Kafka topic "${route.kafkaTopic}"${part}`,
      route: route.name,
      instance,
      subscribers,
      trigger: PUMP_TRIGGER,
      settings: namesOf(settings),
    };
  });
  accept(draft, functions, settings);
  warnOfMqtt(route, plan, draft);
  return true;
}

/** What Devices ask for is done by one function for each endpoint, wherever the app runs (S-60). */
function planDevice(device: DeviceEndpoint, plan: Plan, draft: Draft): void {
  const connections = [device.source, device.target].flatMap(
    (id) => plan.mqttConnections.get(id) ?? [],
  );
  const settings = connections.flatMap((connection) => [...mqttSettings(connection)]);
  const found = device.discovery === undefined ? "" : ` "${device.discovery.topicFilter}"`;
  const planned: PlannedFunction = {
    name: functionName(device.name),
    kind: "timer",
    role: "pump",
    purpose: `Discovers the topics${found} of device "${device.name}" and forwards its assets`,
    device: device.name,
    trigger: PUMP_TRIGGER,
    settings: namesOf(settings),
  };
  accept(draft, [planned], settings);
}

function routeSettings(route: Route, plan: Plan): AppSetting[] {
  const kafka = plan.kafkaConnections.get(route.kafkaConnection);
  const mqtt = plan.mqttConnections.get(route.mqttConnection);
  return [
    ...(kafka === undefined ? [] : kafkaSettings(kafka)),
    ...(mqtt === undefined ? [] : mqttSettings(mqtt)),
  ];
}

function namesOf(settings: readonly AppSetting[]): string[] {
  return [...new Set(settings.map(({ name }) => name))];
}

function accept(
  draft: Draft,
  functions: readonly PlannedFunction[],
  settings: readonly AppSetting[],
): void {
  draft.functions.push(...functions);
  for (const setting of settings) draft.settings.set(setting.name, setting);
}

function warnOfMqtt(route: Route, plan: Plan, draft: Draft): void {
  const mqtt = plan.mqttConnections.get(route.mqttConnection);
  if (mqtt?.authentication.method !== "ServiceAccountToken") return;
  report(
    draft,
    route,
    `Route "${route.name}" signs in to MQTT with a Kubernetes service account token, which a Functions app has only when ISTHMUS_SERVICE_ACCOUNT_TOKEN_FILE names a file with one`,
    "warning",
  );
}

/** The host compares names without regard to case. */
function unique(draft: Draft, functions: readonly PlannedFunction[]): PlannedFunction[] {
  const seen = new Map<string, PlannedFunction>();
  for (const planned of functions) {
    const key = planned.name.toLowerCase();
    const other = seen.get(key);
    if (other === undefined) seen.set(key, planned);
    else {
      draft.problems.push({
        severity: "error",
        location: { file: planned.route ?? "", line: 1, column: 1 },
        path: "",
        message: `Cannot plan "${planned.purpose}": its function name "${planned.name}" is taken by "${other.purpose}"; rename one of the routes`,
        scope: "flow",
      });
    }
  }
  return [...seen.values()];
}
