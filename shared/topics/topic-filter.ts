import { shortened, topicTextProblem } from "./topic-name.ts";

/** Why `filter` is no MQTT Topic Filter (one without a `$share` prefix), or undefined when it is one. */
export function topicFilterProblem(filter: string): string | undefined {
  const levels = filter.split("/");
  for (const [index, level] of levels.entries()) {
    // [MQTT-4.7.1-1]
    if (level.includes("#") && (level !== "#" || index < levels.length - 1)) {
      return `Topic Filter "${shortened(filter)}" must have "#" only as its whole last level`;
    }
    // [MQTT-4.7.1-2]
    if (level.includes("+") && level !== "+") {
      return `Topic Filter "${shortened(filter)}" must have "+" only as a whole level`;
    }
  }
  return topicTextProblem("Topic Filter", filter);
}

/** Whether a legal Topic Name matches a legal Topic Filter (MQTT 5, 4.7). */
export function topicFilterMatches(filter: string, topicName: string): boolean {
  const wanted = filter.split("/");
  const levels = topicName.split("/");
  // [MQTT-4.7.2-1]
  if (topicName.startsWith("$") && isWildcard(wanted[0])) return false;
  for (const [index, level] of wanted.entries()) {
    // also where the name has ended: "#" matches its parent level
    if (level === "#") return true;
    if (index === levels.length) return false;
    if (level !== "+" && level !== levels[index]) return false;
  }
  return wanted.length === levels.length;
}

/** Whether some Topic Name matches both legal Topic Filters. */
export function filtersOverlap(a: string, b: string): boolean {
  const [left, right] = [a.split("/"), b.split("/")];
  if (a.startsWith("$") && isWildcard(right[0])) return false;
  if (b.startsWith("$") && isWildcard(left[0])) return false;
  for (let index = 0; ; index += 1) {
    const [one, other] = [left[index], right[index]];
    if (one === "#" || other === "#" || (one === undefined && other === undefined)) return true;
    if (one === undefined || other === undefined) return false;
    if (one !== other && one !== "+" && other !== "+") return false;
  }
}

function isWildcard(level: string | undefined): boolean {
  return level === "+" || level === "#";
}

/** A Shared Subscription taken apart, or why it is none. */
export type SharedSubscriptionText =
  | { readonly ok: true; readonly groupName: string; readonly topicFilter: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Takes `$share/<groupName>/<filter>` apart, and the other spelling `$shared/…` that is met in manifests (S-8).
 * Undefined when the text has no such prefix.
 */
export function parseSharedSubscription(text: string): SharedSubscriptionText | undefined {
  const [prefix, groupName, ...levels] = text.split("/");
  if (prefix !== "$share" && prefix !== "$shared") return undefined;
  // [MQTT-4.8.2-1] [MQTT-4.8.2-2]
  if (groupName === undefined || groupName === "" || /[+#]/.test(groupName)) {
    return refused(text, 'the group name must have at least one character, and no "+" and "#"');
  }
  const topicFilter = levels.join("/");
  const problem = topicFilterProblem(topicFilter);
  return problem === undefined ? { ok: true, groupName, topicFilter } : refused(text, problem);
}

function refused(text: string, why: string): SharedSubscriptionText {
  return {
    ok: false,
    reason: `Shared Subscription "${shortened(text)}" must be $share/<groupName>/<filter>: ${why}`,
  };
}

/** The Topic Filter with which a member of `groupName` subscribes (S-33). */
export function sharedSubscriptionFilter(groupName: string, topicFilter: string): string {
  return `$share/${groupName}/${topicFilter}`;
}
