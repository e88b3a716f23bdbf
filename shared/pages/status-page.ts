import { assetsJson, assetsSection } from "./assets-section.ts";
import { escapeHtml } from "./escape-html.ts";
import { totalsByRoute } from "./ledger.ts";
import { readiness } from "./readiness.ts";
import { count, pill, routeCard } from "./route-card.ts";
import { STATUS_PAGE_SCRIPT } from "./status-page-script.ts";
import { STATUS_PAGE_STYLE } from "./status-page-style.ts";
import type { Crossing, StatusView } from "./status-view.ts";

/** The Content-Security-Policy that fits {@link statusPage} made with the same nonce: nothing is fetched but the page itself. */
export function statusPagePolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [days, hours, minutes] = [86_400, 3600, 60].map((unit) => Math.floor(seconds / unit));
  if (days) return `${days} d ${(hours ?? 0) % 24} h`;
  if (hours) return `${hours} h ${(minutes ?? 0) % 60} min`;
  if (minutes) return `${minutes} min ${seconds % 60} s`;
  return `${seconds} s`;
}

function timeOfDay(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}

function crossingRow(crossing: Crossing): string {
  return [
    `<tr><td class="mono time">${timeOfDay(crossing.at)}</td>`,
    `<td>${escapeHtml(crossing.from)} → ${escapeHtml(crossing.to)}</td>`,
    `<td>${count(crossing.bytes)} B, ${crossing.properties} ${crossing.properties === 1 ? "property" : "properties"}</td>`,
    `<td class="mono">${escapeHtml(crossing.preview)}</td></tr>`,
  ].join("");
}

function messages(recent: readonly Crossing[] | undefined): string {
  if (recent === undefined) return "";
  const body =
    recent.length === 0
      ? '<p class="soft">None has crossed yet.</p>'
      : `<div class="scroll" tabindex="0" role="region" aria-label="Messages that crossed last"><table class="messages"><thead><tr><th scope="col">Time (UTC)</th><th scope="col">From and to</th><th scope="col">Size</th><th scope="col">Payload begins</th></tr></thead><tbody>${recent.map(crossingRow).join("")}</tbody></table></div>`;
  return `<section class="card" aria-labelledby="crossed"><h2 id="crossed">Messages that crossed last</h2>${body}</section>`;
}

function summary(view: StatusView): { text: string; html: string } {
  const { ready, reasons } = readiness(view.routes);
  const waiting = new Set(reasons.map(({ route }) => route)).size;
  const text = ready
    ? "All routes running"
    : view.routes.length === 0
      ? "Starting"
      : `${waiting} of ${view.routes.length} not running`;
  const failed = view.routes.some(({ state }) => state === "failed");
  return { text, html: pill(ready ? "good" : failed ? "bad" : "wait", text) };
}

/** The status page as one self-contained document. Pure: the same view and nonce give the same text. */
export function statusPage(view: StatusView, nonce: string): string {
  const cards = totalsByRoute(view.routes)
    .map((totals) => routeCard(totals, view.rates?.get(totals.route)))
    .join("");
  const state = summary(view);
  const restarts = view.workerRestarts ?? 0;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${state.text} - Isthmus</title>
<link rel="icon" href="data:,">
<noscript><meta http-equiv="refresh" content="5"></noscript>
<style nonce="${escapeHtml(nonce)}">${STATUS_PAGE_STYLE}</style>
</head>
<body>
<header><h1>Isthmus</h1><div id="summary" role="status">${state.html}</div></header>
<p id="link" class="bad" role="alert"></p>
<main>
<p class="soft small">Version ${escapeHtml(view.version)}, up ${duration(view.now - view.startedAt)}${restarts === 0 ? "" : `, ${count(restarts)} worker restarts`}</p>
<ul class="cards">${cards}</ul>
${assetsSection(view.assets)}
${messages(view.recent)}
</main>
<footer class="soft small">For programs: <a href="status.json">status.json</a>, <a href="metrics">metrics</a>, <a href="readyz">readyz</a>, <a href="healthz">healthz</a></footer>
<script nonce="${escapeHtml(nonce)}">${STATUS_PAGE_SCRIPT}</script>
</body>
</html>
`;
}

/** The same facts for programs. */
export function statusJson(view: StatusView): object {
  return {
    version: view.version,
    startedAt: new Date(view.startedAt).toISOString(),
    now: new Date(view.now).toISOString(),
    ...readiness(view.routes),
    workerRestarts: view.workerRestarts ?? 0,
    routes: totalsByRoute(view.routes).map((totals) => ({
      ...totals,
      perSecond: view.rates?.get(totals.route)?.perSecond,
    })),
    ...(view.recent === undefined ? {} : { recent: view.recent }),
    ...(view.assets === undefined ? {} : { discovery: assetsJson(view.assets).endpoints }),
  };
}
