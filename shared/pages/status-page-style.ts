/** The whole look of the status page: no fonts, images or styles are fetched from anywhere. */
export const STATUS_PAGE_STYLE: string = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --card: #fff; --ink: #1b2430; --soft: #566273; --line: #dde2e9;
  --good: #14693a; --good-ground: #e2f4e9; --wait: #7a4b00; --wait-ground: #fdf0d8;
  --bad: #a11c1c; --bad-ground: #fde7e7; --accent: #1f5fbf;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161c; --card: #1b212a; --ink: #e7ecf2; --soft: #a3afbf; --line: #323c49;
    --good: #7fdca5; --good-ground: #17352a; --wait: #f5c777; --wait-ground: #3a2d14;
    --bad: #ff9d9d; --bad-ground: #431f22; --accent: #82b4ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
header, main, footer { max-width: 74rem; margin: 0 auto; padding: 1rem 1.25rem; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; padding-top: 1.5rem; padding-bottom: 0; }
main { padding-top: .25rem; }
h1 { margin: 0; font-size: 1.5rem; letter-spacing: -.01em; }
h2 { margin: 0; font-size: 1.05rem; overflow-wrap: anywhere; }
h3 { margin: 1.5rem 0 .5rem; font-size: 1.05rem; }
p { margin: .25rem 0; }
a { color: var(--accent); }
.soft { color: var(--soft); }
.small { font-size: .875rem; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); padding: 0; margin: 1rem 0; list-style: none; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1rem 1.25rem; min-width: 0; }
.row { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between; }
.pill { display: inline-block; border-radius: 1rem; padding: .05rem .7rem; font-size: .875rem; font-weight: 600; white-space: nowrap; }
.good { color: var(--good); background: var(--good-ground); }
.wait { color: var(--wait); background: var(--wait-ground); }
.bad { color: var(--bad); background: var(--bad-ground); }
.path { margin: .6rem 0; overflow-wrap: anywhere; }
.path code { font-size: .95em; }
code, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.rate { font-size: 1.6rem; font-weight: 600; font-variant-numeric: tabular-nums; line-height: 1.2; }
.spark { width: 12rem; height: 2.5rem; flex: 0 1 12rem; }
.spark polyline { fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: .875rem; padding: .25rem 0; }
th, td { padding: .2rem .75rem .2rem 0; text-align: left; vertical-align: top; font-weight: 400; }
thead th { color: var(--soft); font-size: .875rem; border-bottom: 1px solid var(--line); }
.ledger th, .ledger td { padding-top: .1rem; padding-bottom: .1rem; }
.ledger th { color: var(--soft); }
.ledger td { text-align: right; padding-right: 0; }
.ledger tr:first-child th, .ledger tr:first-child td { border-bottom: 1px solid var(--line); color: var(--ink); font-weight: 600; }
.messages td { border-bottom: 1px solid var(--line); }
.messages .mono { font-size: .85rem; overflow-wrap: anywhere; }
.messages .time { white-space: nowrap; }
.reasons { margin: .5rem 0 0; padding-left: 1.1rem; overflow-wrap: anywhere; }
#link:empty { display: none; }
#link { margin: 0 auto; max-width: 74rem; padding: .5rem 1.25rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
`;
