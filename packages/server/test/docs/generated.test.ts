import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { errorsPage, renderErrorsPage } from '../../scripts/docs-errors.ts'
import { renderSettingsPage, settingsPage } from '../../scripts/docs-settings.ts'
import { variables } from '../../src/config/variables.ts'
import { problems } from '../../src/core/problem.ts'

describe('generated pages', () => {
  it('docs/errors.md says what the catalogue of problems says; else run scripts/docs-errors.ts', () => {
    assert.equal(readFileSync(errorsPage, 'utf8'), renderErrorsPage())
  })

  it('docs/settings.md says what the table of settings says; else run scripts/docs-settings.ts', () => {
    assert.equal(readFileSync(settingsPage, 'utf8'), renderSettingsPage())
  })

  it('have a row for every code and every variable', () => {
    for (const code of Object.keys(problems)) assert.ok(renderErrorsPage().includes(`\n| \`${code}\` | `), code)
    for (const name of Object.keys(variables)) assert.ok(renderSettingsPage().includes(`\n| \`${name}\` | `), name)
  })
})
