/**
 * The one look of every page that a person meets while connecting: a card, light and dark, in both directions. The accent is
 * the dashboard's and the guides'.
 */
export const style = `
:root { --ink: #17202e; --soft: #505b6b; --ground: #eef1f6; --card: #fff; --line: #dce2eb; --field: #747f90;
  --tint: #f5f7fa; --good: #0b7446; --good-tint: #e4f4ec; --bad: #b3261e; --bad-tint: #fbe9e7; --warn: #8a5300;
  --warn-tint: #fdf1de; --link: #3b53c9; --accent: #3b53c9; --on-accent: #ffffff; --radius: 10px; --shadow: 0 1px 2px #17202e14, 0 12px 40px #17202e1a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eaeef5; --soft: #a9b4c4; --ground: #0e1218; --card: #181e27; --line: #2e3745; --field: #7f8b9d;
    --tint: #202733; --good: #5fd39b; --good-tint: #15322a; --bad: #ff9a90; --bad-tint: #3a1f20; --warn: #f2bd6a;
    --warn-tint: #35291a; --link: #93a5ff; --accent: #93a5ff; --on-accent: #0f1535; --shadow: 0 0 0 1px #2e3745; }
}
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; min-height: 100vh; min-height: 100svh; display: grid; place-items: center; padding: 1rem;
  background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
.card { width: min(26rem, 100%); padding: 2rem clamp(1rem, 6vw, 2rem) 1.5rem; background: var(--card);
  box-shadow: var(--shadow); border-radius: calc(var(--radius) + 6px); text-align: center; }
h1 { margin: 1rem 0 .5rem; font-size: 1.35rem; font-weight: 650; line-height: 1.3; text-wrap: balance; overflow-wrap: anywhere; letter-spacing: -.01em; }
h1:focus { outline: none; }
p { margin: .5rem 0; color: var(--soft); overflow-wrap: anywhere; text-wrap: pretty; }
a { color: var(--link); }
.mark { width: 3.25rem; height: 3.25rem; margin: 0 auto; padding: .8rem; border-radius: 50%; color: var(--good);
  background: var(--good-tint); }
.mark svg { display: block; }
.mark.bad { color: var(--bad); background: var(--bad-tint); }
.mark.wait { color: var(--soft); background: var(--tint); }
.mark.warn { color: var(--warn); background: var(--warn-tint); }
.button { font: inherit; font-weight: 550; margin: .75rem 0 0; min-height: 2.75rem; padding: .5rem 1.25rem; max-width: 100%;
  border-radius: var(--radius); border: 1px solid var(--field); background: transparent; color: var(--ink); cursor: pointer;
  overflow-wrap: anywhere; }
.button:hover { background: var(--tint); }
.button.main { border-color: transparent; background: var(--accent); color: var(--on-accent); }
.button.main:hover { filter: brightness(1.08); }
.left-out { margin: .75rem 0; padding-inline-start: 1.5rem; text-align: start; overflow-wrap: anywhere; }
details { margin-top: 1.25rem; padding-top: .75rem; border-top: 1px solid var(--line); font-size: .875rem; }
summary { color: var(--soft); cursor: pointer; min-height: 1.5rem; }
code { font-size: .85em; font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 8px; }
@media (forced-colors: active) { .mark, .card { border: 1px solid; } .button.main { border-color: currentColor; } }
`
