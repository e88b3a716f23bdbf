import type { Plan } from "../shared/model/plan.ts";
import { patternRoutes, type TopicLock, topicMatcher } from "../shared/plan/topic-lock.ts";
import { failure } from "./failure.ts";
import { type Invocation, logLine } from "./invocation-log.ts";

export interface TopicWatchOptions {
  readonly plan: Plan;
  readonly lock: TopicLock | undefined;
  listTopics(kafkaConnection: string): Promise<readonly string[]>;
}

/** Warns of topics that a regular expression matches and no function reads (S-30). @throws Error when topics cannot be listed. */
export function topicWatchHandler(
  options: TopicWatchOptions,
): (timer: unknown, invocation: Invocation) => Promise<void> {
  return async (_timer, invocation) => {
    try {
      for (const route of patternRoutes(options.plan)) {
        const listed = await options.listTopics(route.kafkaConnection);
        const read = new Set([
          ...route.topics.flatMap((t) => (t.kind === "name" ? [t.topic] : [])),
          ...(options.lock?.routes[route.name]?.topics ?? []),
        ]);
        const missing = listed.filter(topicMatcher(route)).filter((topic) => !read.has(topic));
        if (missing.length === 0) continue;
        invocation.warn(
          logLine(
            'Topics match an expression and no function reads them: run "isthmus plan --resolve", package and deploy again',
            { route: route.name, topics: missing.sort() },
          ),
        );
      }
    } catch (thrown) {
      throw failure(thrown, "Cannot list the topics");
    }
  };
}
