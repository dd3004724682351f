import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, it } from 'node:test'
import { pages, root, snippetsOf, type Snippet } from './support/snippets.ts'

const all = pages.flatMap((page) => snippetsOf(page))

/** What a block of each language may be: compiled, parsed, run by another test, or shown only, which it must say. */
const marks: Readonly<Record<string, readonly string[]>> = {
  ts: [''],
  tsx: [''],
  json: [''],
  text: [''],
  bash: ['run', 'shown'],
  html: ['run'],
  sql: ['shown'],
  nginx: ['shown'],
}

function unmarked(snippets: readonly Snippet[]): string[] {
  return snippets
    .filter(({ language, mark }) => marks[language]?.includes(mark) !== true)
    .map(({ page, line, language, mark }) => `${page}:${line}: \`\`\`${language} ${mark}`.trimEnd())
}

/** Names that stand for what a reader has already: said once here, so that no page has to declare them. */
const readersOwn = `
declare const spaceId: string
declare const collectionId: string
declare const connectorId: string
declare const button: HTMLButtonElement
/** Answers the bearer token of the user who is signed in. */
declare function yourToken(): Promise<string>
/** Asks the user, and answers whether it was a yes. */
declare function yourDialog(question: string): Promise<boolean>
/** The same on the server, from the session of a request. */
declare function tokenOfSession(cookie: string | undefined): Promise<string | undefined>
/** The platform's own web server. */
declare function yourApp(incoming: import('node:http').IncomingMessage, outgoing: import('node:http').ServerResponse): void
`

/** Compiles blocks as modules of a program that has the packages installed; answers what the compiler says. */
async function compile(snippets: readonly Snippet[]): Promise<string> {
  await mkdir(path.join(root, 'tmp'), { recursive: true })
  const folder = await mkdtemp(path.join(root, 'tmp', 'snippets-'))
  try {
    const config = {
      extends: '../../tsconfig.json',
      compilerOptions: {
        lib: ['es2024', 'dom', 'dom.iterable', 'esnext.disposable', 'esnext.iterator'],
        types: ['node', 'react'],
        jsx: 'react-jsx',
        moduleDetection: 'force',
        noUnusedLocals: false,
      },
      include: ['.'],
      exclude: [],
    }
    await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(config))
    await writeFile(path.join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
    await writeFile(
      path.join(folder, 'readers-own.ts'),
      `export {}\ndeclare global {${readersOwn.replaceAll('declare ', '')}}`,
    )
    for (const { page, line, language, code } of snippets) {
      const name = `${page.replaceAll(/[^a-z0-9]+/gi, '-')}-${line}.${language}`
      await writeFile(path.join(folder, name), code)
    }
    return await new Promise((resolve) => {
      const tsc = path.join(root, 'node_modules', '.bin', 'tsc')
      execFile(tsc, ['-p', folder], (_error, stdout) => resolve(stdout))
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

describe('every block of code in the pages', () => {
  it('is compiled, parsed or run, or says that it is only shown', () => {
    assert.deepEqual(unmarked(all), [])
    assert.deepEqual(unmarked(snippetsOf('a.md', '```\nx\n```\n```bash\nx\n```\n```bash run\nx\n```\n')), [
      'a.md:2: ```',
      'a.md:5: ```bash',
    ])
  })

  it('compiles against the packages as they are, where it is TypeScript; one that does not is found', async () => {
    const typed = all.filter(({ language }) => language === 'ts' || language === 'tsx')
    const code = `import { connect } from '@connector-oauth/browser'\nconnect({ provder: 'google' })\n`
    const planted: Snippet = { page: 'planted.md', line: 1, language: 'ts', mark: '', code }
    const complaints = (await compile([...typed, planted])).split('\n').filter((line) => line.includes('error TS'))
    assert.equal(complaints.length, 1, complaints.join('\n'))
    assert.match(complaints[0] ?? '', /planted-md-1\.ts.*provder/)
  })

  it('parses, where it is JSON', () => {
    for (const { page, line, language, code } of all) {
      if (language === 'json') assert.doesNotThrow(() => JSON.parse(code), `${page}:${line}`)
    }
  })
})
