/** The page's style sheet. Colors have a contrast of at least 4.5:1 (WCAG 2.2, 1.4.3), in light and dark. */
export const STYLESHEET = `:root {
  color-scheme: light dark;
  --paper: #fff; --panel: #f5f6f8; --ink: #1c2128; --quiet: #57606a; --line: #d8dee4;
  --link: #0757b8; --good: #116329; --warn: #8a4b00; --bad: #b3121d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --panel: #1b2129; --ink: #e4e8ed; --quiet: #9aa5b1; --line: #313a45;
    --link: #79b2ff; --good: #5fd07f; --warn: #f0b35a; --bad: #ff8a80;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0 auto; max-width: 76rem; padding: 0 1.25rem 4rem;
  background: var(--paper); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif;
}
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem 1rem; background: var(--paper); }
header { padding: 2.5rem 0 1.25rem; border-bottom: 1px solid var(--line); }
header p { margin: 0; color: var(--quiet); }
h1, h2, h3, h4 { line-height: 1.25; text-wrap: balance; }
h1 { margin: 0 0 .25rem; font-size: 2.1rem; letter-spacing: -.02em; }
h1 small { color: var(--quiet); font-size: 1rem; font-weight: 400; letter-spacing: 0; }
h2 { margin: 3rem 0 1rem; font-size: 1.5rem; }
h3 { margin: 0 0 .75rem; font-size: 1.2rem; }
h4 { margin: 1.5rem 0 .5rem; font-size: 1rem; }
p { max-width: 46rem; margin: .5rem 0 1rem; }
code, pre { font: .875em/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
small { color: var(--quiet); font-size: .875em; }
nav h2 { margin: 1.5rem 0 .4rem; color: var(--quiet); font-size: .95rem; }
nav ul { margin: 0; padding: 0; list-style: none; columns: 2; }
nav a { display: block; padding: .2rem 0; text-decoration: none; }
nav a:hover { text-decoration: underline; }
main > section:first-child > h2 { margin-top: 1.4rem; }
main > section > section { margin: 0 0 2.5rem; padding-top: 1.75rem; border-top: 1px solid var(--line); }
.addresses { display: grid; gap: .4rem; margin: 0 0 1rem; padding: 0; list-style: none; }
.addresses code { overflow-wrap: anywhere; }
.method, .status {
  display: inline-block; min-width: 4.2em; padding: .1em .5em; border: 1px solid; border-radius: .3em;
  color: var(--quiet); font: 600 .8rem/1.5 ui-monospace, monospace; text-align: center;
}
.status { min-width: 3.4em; margin-right: .4rem; }
.get, .s2 { color: var(--good); }
.post { color: var(--link); }
.s4 { color: var(--warn); }
.delete, .s5 { color: var(--bad); }
.required { color: var(--bad); font-size: .8rem; font-weight: 400; }
.note { color: var(--quiet); }
.scroll { overflow-x: auto; margin: .5rem 0 1rem; }
table { width: 100%; border-collapse: collapse; font-size: .9375rem; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { padding: .5rem .75rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { color: var(--quiet); font-size: .85rem; font-weight: 600; }
th { font-weight: 400; }
th:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
tbody th { white-space: nowrap; }
td { min-width: 5rem; }
td:last-child { min-width: 9rem; }
td code { overflow-wrap: anywhere; }
td small { display: block; }
details { border: 1px solid var(--line); border-bottom: 0; padding: 0 1rem; }
details[open] { padding-bottom: 1rem; }
details > .scroll { margin-bottom: 0; }
details:first-of-type { border-radius: .5rem .5rem 0 0; }
details:last-of-type { border-bottom: 1px solid var(--line); border-radius: 0 0 .5rem .5rem; }
summary { margin: 0 -1rem; padding: .5rem 1rem; cursor: pointer; }
summary:hover { background: var(--panel); }
figure { margin: .75rem 0; }
figcaption { margin-bottom: .25rem; color: var(--quiet); font-size: .9rem; }
pre { overflow-x: auto; margin: 0; padding: .75rem 1rem; border-radius: .5rem; background: var(--panel); }
@media (min-width: 60rem) {
  body { display: grid; grid-template-columns: 13rem minmax(0, 1fr); column-gap: 3.5rem; }
  header { grid-column: 1 / -1; }
  td:last-child { min-width: 14rem; }
  nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding-bottom: 1rem; font-size: .9375rem; }
  nav ul { columns: 1; }
}
@media print { nav, .skip { display: none; } }
`;
