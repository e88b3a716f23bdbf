/** Topic templates of an Event Grid topic space: which topics its clients may use. */
import type { Route } from "../model/route.ts";
import { parseTopicTemplate } from "../topics/topic-template.ts";

/** As many as one topic space takes. */
const MOST_TEMPLATES = 10;

/** Whether every topic that `narrow` matches is matched by `wide` too; both are legal Topic Filters. */
function covers(wide: string, narrow: string): boolean {
  const [outer, inner] = [wide.split("/"), narrow.split("/")];
  for (const [index, level] of outer.entries()) {
    if (level === "#") return true;
    const other = inner[index];
    if (other === undefined || other === "#") return false;
    if (level !== "+" && level !== other) return false;
  }
  return outer.length === inner.length;
}

function withoutCovered(templates: readonly string[]): string[] {
  const unique = [...new Set(templates)];
  return unique.filter((one) => !unique.some((other) => other !== one && covers(other, one)));
}

/** The topics that a route publishes to: a level that depends on the message is any level. */
function publishedTopics(mqttTopic: string): string {
  const parsed = parseTopicTemplate(mqttTopic);
  if (!parsed.ok) return "#";
  const text = parsed.template.parts
    .map((part) => (typeof part === "string" ? part : "+"))
    .join("");
  return text
    .split("/")
    .map((level) => (level.includes("+") ? "+" : level))
    .join("/");
}

/** Where there are more than a topic space takes, whole trees: too many of those are everything. */
function fewEnough(templates: readonly string[]): string[] {
  const exact = withoutCovered(templates);
  if (exact.length <= MOST_TEMPLATES) return exact.sort();
  const trees = withoutCovered(exact.map((template) => `${template.split("/")[0]}/#`));
  return trees.length <= MOST_TEMPLATES ? trees.sort() : ["#"];
}

/** The topic templates of what these routes publish to, or of what they subscribe to; at most ten, none covered by another. */
export function topicTemplates(
  routes: readonly Route[],
  direction: Route["direction"],
): readonly string[] {
  const templates = routes.flatMap((route) => {
    if (route.direction !== direction) return [];
    return route.direction === "kafkaToMqtt"
      ? [publishedTopics(route.mqttTopic)]
      : route.topicFilters;
  });
  return fewEnough(templates);
}
