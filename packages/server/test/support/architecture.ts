import path from 'node:path'

/** A source file below `src/`: its path there, with slashes, and its text. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** The rules of the house. */
export interface Architecture {
  /** Which layers each layer may import; a file directly in `src/` belongs to `top`. */
  readonly mayImport: Readonly<Record<string, readonly string[]>>
  /** Packages of the workspace, and the layers that may import them. */
  readonly workspacePackages: Readonly<Record<string, readonly string[]>>
  /** What has one owner: modules by their names, and words in the text. */
  readonly owned: readonly OwnedThing[]
  readonly maxLines: number
  /** Files that may be longer, each with the reason. */
  readonly longFiles: Readonly<Record<string, string>>
}

export interface OwnedThing {
  readonly what: string
  /** Matches the specifier of an import; packages match with their sub-paths. */
  readonly modules?: readonly string[]
  /** Matches in the text, comments left out. */
  readonly words?: RegExp
  /** Folders (ending in a slash) and files. */
  readonly owners: readonly string[]
}

/** Every place where the files break the rules, as `path: what is wrong`. */
export function violations(files: readonly SourceFile[], rules: Architecture): string[] {
  return files.flatMap((file) => [
    ...layerViolations(file, rules),
    ...ownerViolations(file, rules),
    ...shapeViolations(file, rules),
  ])
}

function layerViolations(file: SourceFile, rules: Architecture): string[] {
  const layer = layerOf(file.path)
  const allowed = rules.mayImport[layer]
  if (allowed === undefined) return [`${file.path}: the layer ${layer} is not in the table`]
  return importsOf(file.text).flatMap((specifier) => {
    const owners = Object.entries(rules.workspacePackages).find(([name]) => isOf(specifier, name))?.[1]
    if (owners !== undefined)
      return owners.includes(layer) ? [] : [`${file.path}: ${layer} may not import ${specifier}`]
    if (!specifier.startsWith('.')) return []
    const target = path.posix.join(path.posix.dirname(file.path), specifier)
    if (target.startsWith('../')) return [`${file.path}: ${specifier} lies outside src`]
    if (!specifier.endsWith('.ts')) return [`${file.path}: ${specifier} lacks its extension`]
    const targetLayer = layerOf(target)
    if (targetLayer === layer || allowed.includes(targetLayer) || allowed.includes(target)) return []
    return [`${file.path}: ${layer} may not import ${target}`]
  })
}

function ownerViolations(file: SourceFile, rules: Architecture): string[] {
  const specifiers = importsOf(file.text)
  const code = withoutComments(file.text)
  return rules.owned.flatMap(({ what, modules = [], words, owners }) => {
    if (owners.some((owner) => (owner.endsWith('/') ? file.path.startsWith(owner) : file.path === owner))) return []
    const imported = specifiers.some((specifier) => modules.some((name) => isOf(specifier, name)))
    return imported || (words?.test(code) ?? false) ? [`${file.path}: ${what} belongs to ${shortened(owners)}`] : []
  })
}

function shortened(owners: readonly string[]): string {
  return owners.length > 3 ? `${owners.slice(0, 3).join(', ')} and others in the table` : owners.join(', ')
}

function shapeViolations(file: SourceFile, rules: Architecture): string[] {
  const lines = file.text.trimEnd().split('\n').length
  const found: string[] = []
  if (lines > rules.maxLines && !(file.path in rules.longFiles)) {
    found.push(`${file.path}: ${lines} lines, more than ${rules.maxLines}`)
  }
  if (/^export\s+\*/m.test(file.text)) found.push(`${file.path}: a barrel`)
  if (/^(?:export\s+)?(?:let|var)\b/m.test(file.text)) found.push(`${file.path}: module-level state`)
  if (/\bimport\s*\(\s*[^'"\s)]/.test(withoutComments(file.text))) found.push(`${file.path}: imports a computed path`)
  if (/\brequire\s*\(|\bcreateRequire\b/.test(withoutComments(file.text))) found.push(`${file.path}: require`)
  return found
}

/** The folder below `src/` a file lies in; `top` for files that lie in none. */
export function layerOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : 'top'
}

function isOf(specifier: string, module: string): boolean {
  return specifier === module || specifier.startsWith(`${module}/`)
}

/**
 * The specifiers of all imports: static ones, re-exports, side effects, and `import('…')` in code and in types.
 *
 * The formatter puts every static one at the beginning of a line, so no parser is needed to tell it from text.
 */
export function importsOf(text: string): string[] {
  const found: string[] = []
  for (const pattern of [
    /^import\s*(['"])([^'"]+)\1/gm,
    /^(?:import|export)\s[^'"`;]*?\bfrom\s*(['"])([^'"]+)\1/gm,
    /\bimport\s*\(\s*(['"])([^'"]+)\1/g,
  ]) {
    for (const match of text.matchAll(pattern)) if (match[2] !== undefined) found.push(match[2])
  }
  return found
}

/** Blanks comments and leaves strings, whose slashes are no comments. */
function withoutComments(text: string): string {
  return text.replaceAll(
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|(?<![\\:/])\/\/[^\n]*/g,
    (_, string: string | undefined) => string ?? '',
  )
}
