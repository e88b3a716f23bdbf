const longestShown = 80;

/** A text in double quotes, cut when it is long, with control characters escaped. */
export function quote(text: string): string {
  return JSON.stringify(text.length > longestShown ? `${text.slice(0, longestShown)}…` : text);
}

/** Any value of a manifest as it may stand in a message. */
export function shown(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "fields";
  return String(value);
}
