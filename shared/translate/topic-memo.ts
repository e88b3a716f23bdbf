const MOST_TOPICS = 1000;
const LONGEST_TOPIC = 256;

/** `make`, with its results for the topics met lately kept: the same few topics come again and again. */
export function memoByTopic<T>(make: (topic: string) => T): (topic: string) => T {
  const known = new Map<string, T>();
  return (topic) => {
    const before = known.get(topic);
    if (before !== undefined) return before;
    const made = make(topic);
    if (topic.length <= LONGEST_TOPIC) {
      if (known.size === MOST_TOPICS) known.clear();
      known.set(topic, made);
    }
    return made;
  };
}
