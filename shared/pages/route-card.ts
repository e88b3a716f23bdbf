import type { RouteState } from "../engine/status.ts";
import { escapeHtml } from "./escape-html.ts";
import { imbalance, type RouteTotals } from "./ledger.ts";
import type { RouteRate } from "./status-view.ts";

const STATE_TONE: Readonly<Record<RouteState, "good" | "wait" | "bad">> = {
  running: "good",
  starting: "wait",
  waiting: "wait",
  stopped: "wait",
  failed: "bad",
};

/** Whole numbers with thousands separators. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Small and coloured, but its meaning is in its words. */
export function pill(tone: "good" | "wait" | "bad", text: string): string {
  return `<span class="pill ${tone}">${escapeHtml(text)}</span>`;
}

function sparkline(history: readonly number[]): string {
  if (history.length < 2) return "";
  const top = Math.max(1, ...history);
  const points = history.map((value, i) => {
    const x = (i / (history.length - 1)) * 100;
    const y = 29 - (value / top) * 28;
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const label = `Messages per second over the last ${history.length} seconds, at most ${count(Math.round(top))}`;
  return `<svg class="spark" viewBox="0 0 100 30" preserveAspectRatio="none" role="img" aria-label="${label}"><polyline points="${points.join(" ")}"/></svg>`;
}

function ledger(totals: RouteTotals): string {
  const c = totals.counters;
  const rows: readonly (readonly [string, number])[] = [
    ["Received", c.received],
    ["= delivered", c.delivered],
    ["+ expired", c.expired],
    ["+ filtered out", c.filtered],
    ["+ dead-lettered", c.deadLettered],
    ["+ given back to the source", c.released],
    ["+ in flight", c.inFlight],
  ];
  const off = imbalance(c);
  const verdict = off === 0 ? "adds up" : `off by ${count(off)}`;
  const body = rows
    .map(([name, value]) => `<tr><th scope="row">${name}</th><td>${count(value)}</td></tr>`)
    .join("");
  return `<table class="ledger"><caption>Every message is accounted for: ${verdict}</caption><tbody>${body}</tbody></table>`;
}

function reasons(title: string, counts: Readonly<Record<string, number | undefined>>): string {
  const entries = Object.entries(counts).filter(([, n]) => (n ?? 0) > 0);
  if (entries.length === 0) return "";
  const list = entries.map(([reason, n]) => `${escapeHtml(reason)} ${count(n ?? 0)}`).join(", ");
  return `<p class="small soft">${title}: ${list}</p>`;
}

function connection(name: string, connected: boolean): string {
  return pill(connected ? "good" : "bad", `${name} ${connected ? "connected" : "not connected"}`);
}

const SIDES: Readonly<Record<RouteTotals["direction"], readonly [from: string, to: string]>> = {
  kafkaToMqtt: ["Kafka", "MQTT"],
  mqttToKafka: ["MQTT", "Kafka"],
  mqttToMqtt: ["MQTT", "MQTT"],
};

function path(totals: RouteTotals): string {
  const [left, right] = SIDES[totals.direction];
  const code = (text: string): string => `<code>${escapeHtml(text)}</code>`;
  return `<p class="path">${left} ${code(totals.from)} <span aria-label="to">→</span> ${right} ${code(totals.to)}</p>`;
}

function connections({ direction, kafkaConnected, mqttConnected }: RouteTotals): string {
  const mqtt = connection("MQTT", mqttConnected);
  return direction === "mqttToMqtt" ? mqtt : `${connection("Kafka", kafkaConnected)} ${mqtt}`;
}

/** One route as a list item: where it goes, how fast, whether both sides are up, and its ledger. */
export function routeCard(totals: RouteTotals, rate: RouteRate | undefined): string {
  const instances = totals.instances === 1 ? "" : `${totals.instances} instances`;
  const details = totals.details.map((detail) => `<li>${escapeHtml(detail)}</li>`).join("");
  const speed =
    rate === undefined
      ? ""
      : `<div class="row"><p><span class="rate">${count(Math.round(rate.perSecond * 10) / 10)}</span> <span class="soft">messages/s</span></p>${sparkline(rate.history)}</div>`;
  return [
    `<li class="card"><div class="row"><h2>${escapeHtml(totals.route)}</h2>`,
    `<span>${pill(STATE_TONE[totals.state], totals.state)}</span></div>`,
    path(totals),
    `<p class="row small"><span>${connections(totals)}</span><span class="soft">${instances}</span></p>`,
    details === "" ? "" : `<ul class="reasons small">${details}</ul>`,
    speed,
    ledger(totals),
    reasons("Dead letters by reason", totals.counters.rejected),
    reasons("Headers left out", totals.counters.removedHeaders),
    totals.counters.retried === 0
      ? ""
      : `<p class="small soft">Sent again: ${count(totals.counters.retried)}</p>`,
    "</li>",
  ].join("");
}
