/** What of a User Property's name would pass for a header of ours on the record; canaries of `isthmus verify` come through as they are. */
const OURS = /^(?:mqtt-)*(?:isthmus-(?!(?:canary|check)$)|MQTT Topic$)/iu;
const NAMESPACE = "mqtt-";

/**
 * The name of the header that a User Property becomes. Who may publish is not thereby one who may speak for the bridge: a name of ours
 * goes behind `mqtt-`, and so does one that is behind it already, so that it can be taken off again.
 */
export function namespacedName(name: string): string {
  return OURS.test(name) ? NAMESPACE + name : name;
}

/** {@link namespacedName} turned round. */
export function ownName(name: string): string {
  const inner = name.startsWith(NAMESPACE) ? name.slice(NAMESPACE.length) : "";
  return OURS.test(inner) ? inner : name;
}
