const MAX_LENGTH = 60;
const HASH_LENGTH = 7;

/** Seven letters and digits that are the same for the same text (FNV-1a, 32 bits). */
export function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash.toString(36).padStart(HASH_LENGTH, "0");
}

/**
 * A name that Azure Functions allows (a letter, then letters, digits, `-` and `_`), at most 60 long, the same for the same parts.
 * The parts of a route's name and what distinguishes the function are joined by `_`; whatever is lost on the way is made up for by a hash.
 */
export function functionName(route: string, distinction?: string): string {
  const slug = [...route.split("/"), ...(distinction === undefined ? [] : [distinction])].join("_");
  const plain = slug
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, "-")
    .replace(/^[^a-z]+/, "");
  const exact =
    plain === slug && slug.length <= MAX_LENGTH && /^[a-z0-9-]+\/[a-z0-9-]+$/.test(route);
  if (exact) return slug;
  const key = distinction === undefined ? route : `${route}\n${distinction}`;
  const room = MAX_LENGTH - HASH_LENGTH - 1;
  const head = plain.slice(0, room).replace(/[-_]+$/, "");
  return `${head === "" ? "route" : head}_${shortHash(key)}`;
}
