import { escapeHtml } from "./escape-html.ts";
import type { AssetsView, DiscoveryView } from "./status-view.ts";

/** Nobody reads more of them on a page. */
const MOST_SHOWN = 200;

function count(value: number, noun: string): string {
  return `${value.toLocaleString("en-US")} ${noun}${value === 1 ? "" : "s"}`;
}

/** What was discovered, as the status page shows it: the newest first. Nothing where there is no Device. */
export function assetsSection(view: AssetsView | undefined): string {
  if (view === undefined) return "";
  const sections = view.endpoints.map((endpoint) => endpointPart(endpoint, view.imported));
  return `<section class="card" aria-labelledby="assets"><h2 id="assets">Discovered assets</h2>${sections.join("")}</section>`;
}

function endpointPart(endpoint: DiscoveryView, imported: ReadonlySet<string>): string {
  const { assets, displaced, limit } = endpoint;
  const given =
    displaced === 0
      ? ""
      : ` More topics were met than the ${limit.toLocaleString("en-US")} that are kept: ${count(displaced, "quiet one")} made way.`;
  const shown = assets.toReversed().slice(0, MOST_SHOWN);
  const rest = assets.length > shown.length ? ` The newest ${MOST_SHOWN} are shown.` : "";
  const head = `<p class="soft small">${escapeHtml(endpoint.endpoint)}, <code>${escapeHtml(endpoint.topicFilter)}</code>: ${count(assets.length, "topic")}.${given}${rest}</p>`;
  if (shown.length === 0) return `${head}<p class="soft">None has been met yet.</p>`;
  const rows = shown.map((asset) => {
    const state = imported.has(asset.name) ? "imported" : "discovered";
    const seen = new Date(asset.firstSeen).toISOString().slice(0, 19).replace("T", " ");
    return `<tr><td class="mono">${escapeHtml(asset.name)}</td><td class="mono">${escapeHtml(asset.topic)}</td><td>${state}</td><td class="mono time">${seen}</td></tr>`;
  });
  return `${head}<div class="scroll" tabindex="0" role="region" aria-label="Discovered assets of ${escapeHtml(endpoint.endpoint)}"><table class="messages"><thead><tr><th scope="col">Name</th><th scope="col">Topic</th><th scope="col">State</th><th scope="col">First seen (UTC)</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

/** The same for programs, all of it. */
export function assetsJson({ endpoints, imported }: AssetsView): {
  readonly assets: readonly object[];
  readonly endpoints: readonly object[];
} {
  return {
    assets: endpoints.flatMap(({ assets }) =>
      assets.map((asset) => ({
        ...asset,
        firstSeen: new Date(asset.firstSeen).toISOString(),
        state: imported.has(asset.name) ? "imported" : "discovered",
      })),
    ),
    endpoints: endpoints.map(({ endpoint, topicFilter, assets, displaced, limit }) => ({
      endpoint,
      topicFilter,
      discovered: assets.length,
      displaced,
      limit,
    })),
  };
}
