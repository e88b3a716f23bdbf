/**
 * Seconds left of a Message Expiry Interval at `now` for a message that has waited since `since`, both in milliseconds since the
 * Unix epoch (S-12). Whole seconds count; a clock that was set back counts as no time at all. Zero or less: it has expired.
 */
export function secondsLeft(messageExpiryInterval: number, since: number, now: number): number {
  return messageExpiryInterval - Math.max(0, Math.floor((now - since) / 1000));
}
