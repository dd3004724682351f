import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { errorsPage, renderErrorsPage } from '../../scripts/docs-errors.ts'
import { renderSettingsPage, settingsPage } from '../../scripts/docs-settings.ts'
import { variables } from '../../src/config/variables.ts'
import { statusReasons } from '../../src/core/problem-cures.ts'
import { problems } from '../../src/core/problem.ts'

describe('generated pages', () => {
  it('docs/errors.md says what the catalogue of problems says; else run scripts/docs-errors.ts', () => {
    assert.equal(readFileSync(errorsPage, 'utf8'), renderErrorsPage())
  })

  it('docs/settings.md says what the table of settings says; else run scripts/docs-settings.ts', () => {
    assert.equal(readFileSync(settingsPage, 'utf8'), renderSettingsPage())
  })

  it('have a cause and a cure for every code, and a row for every variable', () => {
    const sections = renderErrorsPage().split('\n## ')
    for (const [code, [status, sentence]] of Object.entries(problems)) {
      const section = sections.find((text) => text.startsWith(`${code}\n`)) ?? ''
      assert.ok(section.includes(`**${status}** · ${sentence}\n`), code)
      assert.match(section, /^- Cause: .{10,}\n- Cure: .{5,}$/m, code)
    }
    for (const reason of Object.keys(statusReasons)) assert.ok(sections.at(-1)?.includes(`| \`${reason}\` | `), reason)
    for (const name of Object.keys(variables)) assert.ok(renderSettingsPage().includes(`\n| \`${name}\` | `), name)
  })
})
