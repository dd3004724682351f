/** The one style sheet of the sandbox's pages; it stands in the page and is allowed there by its hash. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f3f4f7; --card: #ffffff; --ink: #16181d; --soft: #565d6b; --line: #d9dde5; --field: #868e9e;
  --accent: #3b4fd8; --accent-ink: #ffffff; --accent-wash: #eceffe; --alert: #b3261e;
  --note-ground: #fff3d6; --note-ink: #5c4200; --note-line: #ecd28d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101216; --card: #1a1d23; --ink: #eef0f4; --soft: #a7aebb; --line: #31363f; --field: #767e8d;
    --accent: #a9b6ff; --accent-ink: #10163a; --accent-wash: #262c4a; --alert: #ffb4ab;
    --note-ground: #322a14; --note-ink: #f4dfa6; --note-line: #57491f;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-bottom: 5rem; font: 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
body { margin: 0; min-height: 100vh; background: var(--ground); color: var(--ink); display: flex; flex-direction: column; }
.notice { margin: 0; padding: .625rem 1rem; text-align: center; font-size: .875rem; font-weight: 600;
  background: var(--note-ground); color: var(--note-ink); border-bottom: 1px solid var(--note-line); }
main { flex: 1; display: flex; align-items: flex-start; justify-content: center; padding: clamp(1rem, 6vh, 4rem) 1rem 2rem; }
@media (max-height: 50rem) { main { padding-top: 1rem; padding-bottom: 1rem; } }
.card { width: 100%; max-width: 27rem; background: var(--card); border: 1px solid var(--line); border-radius: 1rem;
  padding: clamp(1.25rem, 5vw, 2rem); box-shadow: 0 1px 2px rgb(0 0 0 / .05), 0 12px 32px -16px rgb(0 0 0 / .18); }
.mark { display: flex; align-items: center; gap: .625rem; margin: 0 0 1rem; color: var(--soft); font-size: .875rem; font-weight: 600; }
.mark svg { width: 1.75rem; height: 1.75rem; flex: none; fill: var(--accent); }
h1 { margin: 0 0 .375rem; font-size: 1.375rem; line-height: 1.25; letter-spacing: -.01em; overflow-wrap: anywhere; }
.lead { margin: 0 0 1.25rem; color: var(--soft); overflow-wrap: anywhere; }
.lead strong { color: var(--ink); font-weight: 600; }
label { display: block; margin-bottom: .375rem; font-weight: 600; }
input[type=text] { width: 100%; min-height: 2.875rem; padding: .5rem .75rem; font: inherit; color: inherit;
  background: transparent; border: 1px solid var(--field); border-radius: .625rem; }
input[aria-invalid] { border-color: var(--alert); }
.hint { margin: .5rem 0 1.5rem; font-size: .875rem; color: var(--soft); }
.error { margin: .5rem 0 0; font-size: .875rem; font-weight: 600; color: var(--alert); }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; }
.decision { position: sticky; bottom: 0; padding: .75rem 0; margin-bottom: -.75rem; background: var(--card); border-top: 1px solid var(--line); }
button { flex: 1 1 8rem; min-height: 2.875rem; padding: .5rem 1rem; font: inherit; font-weight: 600; cursor: pointer;
  border-radius: .625rem; border: 1px solid var(--accent); background: var(--accent); color: var(--accent-ink); }
.decision button { flex-basis: 6rem; }
button.quiet { background: transparent; color: var(--ink); border-color: var(--field); }
button:hover { filter: brightness(1.06); }
button.quiet:hover { background: var(--accent-wash); filter: none; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.who { display: flex; align-items: center; gap: .75rem; margin: 0 0 1.25rem; padding: .625rem .75rem; border: 1px solid var(--line); border-radius: .75rem; }
.who .face { flex: none; width: 2.25rem; height: 2.25rem; border-radius: 50%; display: grid; place-items: center;
  background: var(--accent-wash); color: var(--accent); font-weight: 700; }
.who p { margin: 0; flex: 1; min-width: 0; overflow-wrap: anywhere; line-height: 1.35; }
.who small { color: var(--soft); font-size: .875rem; }
a { color: var(--accent); text-underline-offset: .15em; }
.who a { display: inline-block; padding: .25rem 0; font-size: .875rem; }
fieldset { margin: 0; padding: 0; border: 0; }
legend { padding: 0; margin-bottom: .5rem; font-weight: 600; }
.scope { display: flex; gap: .75rem; align-items: flex-start; margin: 0; padding: .4375rem 0; border-top: 1px solid var(--line); font-weight: 400; line-height: 1.35; }
.scope b { display: block; font-weight: 600; }
.scope small { color: var(--soft); font-size: .875rem; }
.scope input, .scope svg { flex: none; width: 1.125rem; height: 1.125rem; margin: .2rem 0 0; accent-color: var(--accent); }
.scope svg { stroke: var(--accent); stroke-width: 2.5; fill: none; }
@media (forced-colors: active) { .card, .who .face { border: 1px solid; } }
`
