"""The style sheet of the verdict's page: light, dark, narrow, wide, and on paper."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --paper: #fbfaf7; --card: #fff; --ink: #1d2125; --soft: #5b636b; --line: #d9d6cf;
  --well: #1a7340; --fragile: #8a5a00; --broken: #b3261e; --unknown: #5b636b; --code: #f1efe9; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --card: #1c2024; --ink: #e8e6e1; --soft: #a3abb3;
  --line: #353b41;
  --well: #5cc98a; --fragile: #e3b341; --broken: #ff8a80; --unknown: #a3abb3; --code: #262b30; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem 1rem 2rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
body.well { --tone: var(--well); } body.fragile { --tone: var(--fragile); }
body.broken { --tone: var(--broken); } body.unknown { --tone: var(--unknown); }
header { border-left: .35rem solid var(--tone); padding-left: 1rem; margin-bottom: 1.5rem; }
h1 { font-size: clamp(1.5rem, 5vw, 2.2rem); line-height: 1.15; margin: .45rem 0 .3rem; letter-spacing: -.01em; }
h2 { font-size: 1.15rem; line-height: 1.3; margin: 0 0 .5rem; } h3 { font-size: .95rem; margin: 1.1rem 0 .2rem; }
p { margin: .3rem 0; } ul { margin: .2rem 0; padding-left: 1.2rem; }
.badge { display: inline-block; margin: 0; padding: .05rem .6rem; border: 1.5px solid var(--tone); border-radius: 1rem;
  color: var(--tone);
  font-weight: 650; font-size: .9rem; }
footer { border-top: 1px solid var(--line); margin-top: 1.5rem; padding-top: .5rem; } .sentence { font-size: 1.1rem; }
  .small, footer, figcaption { color: var(--soft); font-size: .85rem; }
main { display: grid; gap: .2rem 1.5rem; grid-template-columns: minmax(0, 1fr); }
@media (min-width: 56rem) { main { grid-template-columns: minmax(0, 1fr) minmax(0, 25rem); align-items: start; } }
section.cause, figure { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.1rem;
  margin: 0 0 1rem; }
.over { display: block; color: var(--soft); font-size: .8rem; font-weight: 600; }
.nobreak { white-space: nowrap; color: var(--tone); }
.says { font-size: 1.05rem; }
dl { display: grid; grid-template-columns: 5.9rem minmax(0, 1fr); gap: .5rem .8rem; margin: 1rem 0; }
dt { color: var(--soft); font-weight: 600; } dd { margin: 0; }
pre { margin: .2rem 0; padding: .55rem .7rem; background: var(--code); border-radius: .4rem; white-space: pre-wrap;
  overflow-wrap: anywhere;
  font: .85rem/1.45 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
pre.type span { white-space: nowrap; }
pre.type { border-left: .2rem solid var(--tone); user-select: all; font-size: .92rem; }
.evidence { margin-top: .8rem; } .evidence p { font-size: .85rem; color: var(--soft); }
.seen { margin-top: .5rem; } .seen h3 { margin-top: .8rem; } .seen li, .seen p { font-size: .9rem; color: var(--soft); }
figure svg { width: 100%; max-width: 30rem; height: auto; display: block; margin: 0 auto .6rem; }
.map text { fill: var(--ink); font: 13px system-ui, "DejaVu Sans", sans-serif; } .map .name { font-weight: 600; }
.map .what { fill: var(--soft); font-size: 11.5px; }
.map .sign { text-anchor: middle; font-weight: 700; } .map .code { text-anchor: end; font-weight: 700; font-size: 11.5px; }
.map .shape { fill: var(--card); stroke-width: 2; } .map .way { fill: none; stroke: var(--soft); stroke-width: 2; }
.map .way.broken { stroke: var(--broken); stroke-dasharray: 3 4; }
.hop.well { --hop: var(--well); } .hop.fragile { --hop: var(--fragile); } .hop.broken { --hop: var(--broken); }
.hop.unknown { --hop: var(--unknown); } .hop.unknown .shape { stroke-dasharray: 3 3; }
.hop .shape { stroke: var(--hop); } .hop .sign, .hop .code { fill: var(--hop); }
.hop.cause .shape { fill: var(--hop); } .hop.cause .sign { fill: var(--card); }
@media (max-width: 30rem) { dl { grid-template-columns: minmax(0, 1fr); gap: .1rem; } dd { margin-bottom: .7rem; }
  section.cause, figure { padding: .9rem .7rem; } body { padding: 1rem .7rem 2rem; } }
@media print { :root { --paper: #fff; --card: #fff; --ink: #000; --soft: #333; --line: #999; --well: #050; --fragile: #630;
  --broken: #900;
  --unknown: #333; --code: #fff; } body { padding: 0; font-size: 10.5pt; max-width: none; } pre { border: 1px solid #999; }
  main { grid-template-columns: minmax(0, 1fr) 15rem; } section.cause, figure, .evidence { break-inside: avoid; } }
"""
