import type { TreeAnswer } from "../image/tree/page-data.ts";

const shell = (title: string, head: string, script: string) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<link rel="icon" href="data:,">
${head}
<body id="page"><noscript>This page needs JavaScript.</noscript></body>
${script}
</html>
`;

const pageStyle = `
:root { color-scheme: light dark; --ink: #16181d; --dim: #5b6170; --paper: #fff; --raised: #f5f6f8; --line: #d9dce3; --link: #0b57b8;
  --waiting: #8a91a0; --running: #0b62cc; --done: #1a7f37; --failed: #c81e2f; --kept: #7a3fc4 }
@media (prefers-color-scheme: dark) { :root { --ink: #eceef2; --dim: #a2a9b8; --paper: #15171c; --raised: #1d2027; --line: #343944; --link: #79b0ff;
  --waiting: #737b8c; --running: #58a6ff; --done: #3fb950; --failed: #ff7b72; --kept: #bc8cff } }
* { box-sizing: border-box }
body { margin: 0; font: 13px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
.skip { position: absolute; left: -99em } .skip:focus { left: 8px; top: 8px; background: var(--paper) }
header.top { display: flex; gap: 20px; align-items: baseline; padding: 10px 20px; border-bottom: 1px solid var(--line) }
header.top b { font-size: 14px }
header.top a { padding: 2px 0; color: var(--dim); text-decoration: none }
header.top a:hover, header.top a[aria-current] { color: var(--ink) }
header.top a[aria-current] { box-shadow: 0 2px var(--ink) }
header.top [role=status] { margin-left: auto; color: var(--dim) }
nav.top { display: flex; gap: 16px }
main { padding: 16px 20px 40px; max-width: 1500px }
main:focus { outline: none }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px }
a { color: var(--link); text-decoration: none } a:hover { text-decoration: underline }
h1 { margin: 0 0 12px; font-size: 18px; overflow-wrap: anywhere }
h2 { margin: 24px 0 8px; font-size: 14px }
code, pre, .code { font: 12px/1.5 ui-monospace, monospace }
table { border-collapse: collapse; width: 100% }
th { padding: 4px 12px 4px 0; font-weight: 500; text-align: left; color: var(--dim); border-bottom: 1px solid var(--line); white-space: nowrap }
td { padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere }
tr:hover > td { background: var(--raised) }
.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.tight { white-space: nowrap }
.dim { color: var(--dim) }
.problem { padding: 8px 12px; border: 1px solid var(--failed); border-radius: 4px; white-space: pre-wrap; overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 16px; margin: 0 }
dt { color: var(--dim) } dd { margin: 0; overflow-wrap: anywhere }
.state { display: inline-flex; gap: 6px; align-items: center; white-space: nowrap }
.state::before { content: ""; flex: none; width: 8px; height: 8px; border-radius: 50%; background: var(--waiting) }
.state[data-state=running]::before, .state[data-state=changing]::before { background: var(--running) }
.state[data-state=done]::before, .state[data-state=succeeded]::before, .state[data-state=ready]::before { background: var(--done) }
.state[data-state=failed]::before, .state[data-state=killed]::before { background: var(--failed); border-radius: 1px }
.state[data-state=kept]::before { background: var(--kept); border-radius: 1px; rotate: 45deg }
.share { display: block; width: 120px; height: 6px; margin-top: 6px; background: var(--raised); border: 1px solid var(--line); border-radius: 3px; overflow: hidden }
.share i { display: block; float: left; height: 100% }
.share [data-state=done] { background: var(--done) } .share [data-state=failed] { background: var(--failed) }
.share [data-state=running] { background: var(--running) } .share [data-state=kept] { background: var(--kept) } .share [data-state=size] { background: var(--dim) }
.scroll { overflow: auto; border: 1px solid var(--line); border-radius: 4px }
.graph { margin-bottom: 12px }
.graph svg { display: block }
.graph rect { fill: var(--paper); stroke: var(--line) }
.graph rect[data-state=failed] { stroke: var(--failed) } .graph rect[data-state=running] { stroke: var(--running) } .graph rect[data-state=done] { stroke: var(--done) }
.graph rect[data-state=kept] { stroke: var(--kept) }
.graph text { font: 12px system-ui, sans-serif; fill: var(--ink) } .graph text.dim { font-size: 11px; fill: var(--dim) }
.graph path { fill: none; stroke: var(--waiting); stroke-width: 1.2 }
.timeline { position: relative; max-height: 420px }
.timeline canvas { position: sticky; top: 0; display: block; width: 100% }
.timeline .tall { position: absolute; top: 0; width: 1px }
.tip { position: fixed; z-index: 1; max-width: 60ch; padding: 6px 9px; border-radius: 4px; background: #16181d; color: #f3f4f6; font-size: 12px; overflow-wrap: anywhere; pointer-events: none; border: 1px solid #555c6b }
.legend .state::before { animation: none !important }
.legend { display: flex; gap: 16px; align-items: center; margin: 8px 0; color: var(--dim); flex-wrap: wrap }
.items { max-height: 420px } .items .row { display: grid; grid-template-columns: 14ch 7ch 12ch 1fr 9ch 2fr; gap: 12px; height: 26px; padding: 3px 10px; border-bottom: 1px solid var(--line) }
.items .row > * { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.items .head { position: sticky; top: 0; z-index: 1; background: var(--paper); color: var(--dim) }
.items .body { position: relative } .items .body .row { position: absolute; left: 0; right: 0 }
pre.log { max-height: 420px; min-height: 60px; margin: 0; padding: 8px 10px; white-space: pre-wrap; overflow-wrap: anywhere }
button, select, input { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 4px; padding: 3px 8px }
button { cursor: pointer } button[aria-pressed=true] { background: var(--raised); border-color: var(--dim) }
form { display: flex; gap: 8px; align-items: end; margin: 0 0 12px; flex-wrap: wrap } form label { display: grid; gap: 2px; color: var(--dim) } form input { width: 46ch; color: var(--ink) }
.tree { display: grid; grid-template: auto minmax(0, 1fr) / minmax(0, 1fr) 340px; gap: 8px 12px; align-items: center; height: 640px }
.tree canvas { width: 100%; height: 100%; cursor: pointer }
.tree button { padding: 2px 0; text-align: left; background: none; border: 0 }
.trail { min-width: 0; overflow: hidden; white-space: nowrap }
.trail button { max-width: 30ch; overflow: hidden; text-overflow: ellipsis } .trail button:last-child { font-weight: 600 }
.trail button + button::before { content: "›"; margin: 0 6px; color: var(--dim) }
.side { display: flex; flex-direction: column; height: 100%; min-height: 0 } .side p { margin: 0 0 6px }
.list { flex: 1; min-height: 0; margin-bottom: 8px; overflow-y: auto }
.list button { position: relative; display: grid; grid-template-columns: 1fr auto 6ch; gap: 0 8px; width: 100%; padding: 4px 6px 7px; overflow: hidden }
.list button:hover { background: var(--raised) }
.list .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap } .list .below { grid-column: 1 / 4; font-size: 12px; overflow-wrap: anywhere }
.list .bar { position: absolute; inset: auto auto 2px 6px; height: 3px; min-width: 3px; max-width: calc(100% - 12px); border-radius: 2px }
kbd { padding: 0 4px; border: 1px solid var(--line); border-radius: 3px; font: 11px ui-monospace, monospace }
main.file { display: flex; flex-direction: column; gap: 4px; max-width: none; height: 100vh; padding: 12px 16px } .file > * { margin: 0 }
.file .tree { flex: 1; min-height: 0; margin-top: 4px }
@media (max-width: 800px) { .tree { grid-template: auto 1fr 35% / 1fr 40% } .tree canvas, .side { grid-column: 1 / 3 } }
@media (prefers-reduced-motion: no-preference) { .state[data-state=running]::before { animation: pulse 2s ease-in-out infinite } @keyframes pulse { 50% { opacity: .45 } } }
`;

/** Contains no data. */
export const pageFiles = {
  shell: shell("Slipway", '<link rel="stylesheet" href="/page.css">', '<script type="module" src="/page.js"></script>'),
  style: pageStyle,
};

export function treeFile(answer: TreeAnswer, script: string): string {
  const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
  const head = `<meta http-equiv="Content-Security-Policy" content="${policy}">\n<style>${pageStyle}</style>`;
  // `</script` would end a script even inside quotes.
  const data = JSON.stringify(answer).replaceAll("<", "\\u003c");
  const scripts = [
    `<script type="application/json" id="image">${data}</script>`,
    `<script type="module">${script.replaceAll("</script", "<\\/script")}</script>`,
  ];
  const title = answer.title.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
  return shell(title, head, scripts.join("\n"));
}
