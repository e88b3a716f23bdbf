/** Insertions, deletions, substitutions and swaps of neighbours that turn one text into the other. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(
        (row[j - 1] ?? 0) + 1,
        (last[j] ?? 0) + 1,
        (last[j - 1] ?? 0) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** The form in which spellings are compared: `scram-sha-256`, `ScramSha256` and `SCRAM_SHA_256` are equal (S-2). */
export function plainSpelling(text: string): string {
  return text.toLowerCase().replace(/[\s_-]/g, "");
}

const longestCompared = 100;

/** The known spelling that a mistyped one most likely means, or undefined when none is near. */
export function nearest(found: string, known: Iterable<string>): string | undefined {
  if (found.length > longestCompared) return undefined;
  const wanted = plainSpelling(found);
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(wanted, plainSpelling(candidate));
    if (distance < bestDistance && distance < Math.max(wanted.length, 1)) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `; did you mean X?` or nothing, to end a message with. */
export function didYouMean(found: string, known: Iterable<string>): string {
  const candidate = nearest(found, known);
  return candidate === undefined || candidate === found ? "" : `; did you mean ${candidate}?`;
}

/** `A`, `A or B`, `A, B or C`. */
export function orList(values: readonly string[]): string {
  const head = values.slice(0, -1).join(", ");
  const end = values.at(-1) ?? "";
  return head === "" ? end : `${head} or ${end}`;
}
