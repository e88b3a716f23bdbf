/** The counters of one route, over its instances. */
export type Counters = Readonly<Record<string, number>>;

const SAMPLE = /^isthmus_messages_([a-z_]+?)(?:_total)?\{([^}]*)\} (\S+)$/;
const TERMS = ["delivered", "expired", "filtered", "dead_lettered", "released", "in_flight"];

/** The counters of messages of a /metrics page, by route. */
export function countersOf(page: string): ReadonlyMap<string, Counters> {
  const routes = new Map<string, Record<string, number>>();
  for (const line of page.split("\n")) {
    const [, name, labels, value] = SAMPLE.exec(line) ?? [];
    const route = /route="([^"]*)"/.exec(labels ?? "")?.[1];
    if (name === undefined || route === undefined || name === "rejected") continue;
    const counters = routes.get(route) ?? {};
    counters[name] = (counters[name] ?? 0) + Number(value);
    routes.set(route, counters);
  }
  return routes;
}

/** What the counters of a route fail to account for, in words; undefined when they add up. */
export function ledgerProblem(route: string, counters: Counters): string | undefined {
  const sum = TERMS.reduce((total, term) => total + (counters[term] ?? 0), 0);
  if (counters["received"] === sum) return undefined;
  return `the counters of ${route} do not add up: ${JSON.stringify(counters)}`;
}
