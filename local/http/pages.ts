import { assetsJson } from "../../shared/pages/assets-section.ts";
import {
  METRICS_CONTENT_TYPE,
  metricsPage,
  type ProcessFacts,
} from "../../shared/pages/metrics.ts";
import { readiness } from "../../shared/pages/readiness.ts";
import { statusJson, statusPage, statusPagePolicy } from "../../shared/pages/status-page.ts";
import type { AssetsView, StatusView } from "../../shared/pages/status-view.ts";

/** One answer over HTTP. */
export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the pages are made from; asked anew for each request. */
export interface PageSource {
  view(): StatusView;
  process(): ProcessFacts;
  /** A fresh unguessable text. */
  nonce(): string;
}

const COMMON_HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
};

const NO_ASSETS: AssetsView = { endpoints: [], imported: new Set() };

function page(status: number, type: string, body: string, headers: object = {}): Page {
  return { status, headers: { ...COMMON_HEADERS, "content-type": type, ...headers }, body };
}

function json(status: number, value: object): Page {
  return page(status, "application/json; charset=utf-8", `${JSON.stringify(value, null, 2)}\n`);
}

function metricsOf(source: PageSource): string {
  const { routes, assets } = source.view();
  return metricsPage(routes, { ...source.process(), discovery: assets?.endpoints ?? [] });
}

/** The answer to a GET of `path`, or undefined when there is no such page. */
export function pageFor(path: string, source: PageSource): Page | undefined {
  switch (path) {
    case "/": {
      const nonce = source.nonce();
      return page(200, "text/html; charset=utf-8", statusPage(source.view(), nonce), {
        "content-security-policy": statusPagePolicy(nonce),
      });
    }
    case "/status.json":
      return json(200, statusJson(source.view()));
    case "/assets.json":
      return json(200, assetsJson(source.view().assets ?? NO_ASSETS));
    case "/metrics":
      return page(200, METRICS_CONTENT_TYPE, metricsOf(source));
    case "/healthz":
      return json(200, { status: "alive" });
    case "/readyz": {
      const state = readiness(source.view().routes);
      return json(state.ready ? 200 : 503, state);
    }
    default:
      return undefined;
  }
}

/** An answer of one line of text. */
export function textPage(status: number, text: string, headers: object = {}): Page {
  return page(status, "text/plain; charset=utf-8", `${text}\n`, headers);
}
