import { Script } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { escapeHtml } from "../../shared/pages/escape-html.ts";
import { statusJson, statusPage, statusPagePolicy } from "../../shared/pages/status-page.ts";
import type { StatusView } from "../../shared/pages/status-view.ts";
import { counters, routeStatus } from "../support/route-status.ts";

const crossing = {
  at: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  route: "flow/one",
  from: "machines",
  to: "factory/machines",
  bytes: 1234,
  preview: '{"temperature":22.5}',
  properties: 1,
};

function view(some: Partial<StatusView> = {}): StatusView {
  return {
    version: "1.2.3",
    startedAt: 0,
    now: 3_725_000,
    routes: [
      routeStatus({ counters: counters({ received: 12_345, delivered: 12_340, inFlight: 5 }) }),
    ],
    ...some,
  };
}

describe("statusPage()", () => {
  test.each([
    { name: "shows the route", want: "<h2>flow/one</h2>" },
    { name: "shows where it leads", want: "<code>factory/machines</code>" },
    { name: "shows the ledger", want: '<tr><th scope="row">Received</th><td>12,345</td></tr>' },
    { name: "says that the ledger adds up", want: "Every message is accounted for: adds up" },
    { name: "shows how long it is up", want: "up 1 h 2 min" },
    { name: "says that all runs", want: "All routes running" },
    { name: "has a language", want: '<html lang="en">' },
  ])("$name", ({ want }) => {
    expect(statusPage(view(), "n")).toContain(want);
  });

  test("keeps itself up to date by a script that is well-formed and finds what it looks for", () => {
    const html = statusPage(view(), "n");
    const [, script] = /<script nonce="n">([\s\S]*?)<\/script>/.exec(html) ?? [];
    expect(() => new Script(script ?? "(")).not.toThrow();
    const [body, main, footer] = ["<body>", "<main>", "<footer"].map((mark) => html.indexOf(mark));
    expect(body).toBeGreaterThan(0);
    expect(main).toBeGreaterThan(body ?? 0);
    expect(footer).toBeGreaterThan(main ?? 0);
    for (const id of html.match(/(?<=getElementById\(")[a-z]+/g) ?? ["none"]) {
      expect(html).toContain(`id="${id}"`);
    }
  });

  test("says when the ledger does not add up", () => {
    const routes = [routeStatus({ counters: counters({ received: 3 }) })];
    expect(statusPage(view({ routes }), "n")).toContain("off by 3");
  });

  test("shows what a route waits for, and says it in words, not by colour alone", () => {
    const mqtt = { connected: false, detail: "connection refused" };
    const html = statusPage(view({ routes: [routeStatus({ state: "waiting", mqtt })] }), "n");
    expect(html).toContain("MQTT not connected");
    expect(html).toContain("<li>connection refused</li>");
    expect(html).toContain("1 of 1 not running");
  });

  test("shows payloads only where a tap was asked for", () => {
    expect(statusPage(view(), "n")).not.toContain("Messages that crossed");
    const html = statusPage(view({ recent: [crossing] }), "n");
    expect(html).toContain("03:04:05.678");
    expect(html).toContain("{&quot;temperature&quot;:22.5}");
    expect(html).toContain("1,234 B, 1 property");
  });

  test("draws the rate", () => {
    const rates = new Map([["flow/one", { perSecond: 2.04, history: [0, 2, 4] }]]);
    const html = statusPage(view({ rates }), "n");
    expect(html).toContain('<span class="rate">2</span>');
    expect(html).toContain('points="0.0,29.0 50.0,15.0 100.0,1.0"');
  });

  test("loads nothing from anywhere and carries no inline style or handler attribute", () => {
    const html = statusPage(view({ recent: [crossing] }), "abc");
    const body = html.replaceAll(/<(script|style) nonce="abc">[\s\S]*?<\/\1>/g, "");
    expect(body).not.toMatch(/<script|<style|\sstyle=|\son[a-z]+=|https?:|\/\//);
    expect(html).not.toMatch(/https?:|@import|url\(/);
  });

  test("escapes every text that comes from outside", () => {
    const evil = `<img src=x onerror="alert(1)">'&`;
    const html = statusPage(
      view({
        version: evil,
        routes: [
          routeStatus({
            route: evil,
            from: evil,
            to: evil,
            detail: evil,
            counters: counters({ rejected: { [evil]: 1 } }),
          }),
        ],
        recent: [{ ...crossing, from: evil, to: evil, preview: evil }],
      }),
      "n",
    );
    expect(html).not.toContain("<img");
    expect(html.match(/&lt;img/g)?.length).toBeGreaterThanOrEqual(8);
  });

  test("the policy allows nothing but what carries the nonce", () => {
    const policy = statusPagePolicy("abc");
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'nonce-abc'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
  });
});

describe("statusJson()", () => {
  test("has the facts of the page, and crossings only with a tap", () => {
    expect(statusJson(view())).toMatchObject({
      ready: true,
      routes: [{ route: "flow/one", state: "running", counters: { received: 12_345 } }],
    });
    expect(statusJson(view())).not.toHaveProperty("recent");
    expect(statusJson(view({ recent: [crossing] }))).toHaveProperty("recent.0.to");
  });
});

describe("escapeHtml()", () => {
  test("leaves nothing that begins a tag, an entity or ends an attribute", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const escaped = escapeHtml(text);
        expect(escaped).not.toMatch(/[<>"']/);
        expect(escaped.replaceAll(/&(?:amp|lt|gt|quot|#39);/g, "")).not.toContain("&");
      }),
    );
  });
});
