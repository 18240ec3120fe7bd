/** What the documentation shows compiles: the ts blocks of the papers, and the examples in doc comments of the sources. */

import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Snippet {
  /** File and line where it begins. */
  readonly where: string
  /** The folder that it stands in, or would. */
  readonly folder: string
  readonly code: string
}

function snippetsOf(path: string): Snippet[] {
  const text = readFileSync(path, 'utf8')
  return [...text.matchAll(/^([ \t]*(?:\* )?)```ts\n([\s\S]*?)^\1```$/gm)].map(
    ({ 1: margin = '', 2: body = '', index }) => ({
      folder: dirname(path),
      where: `${relative(root, path)}:${text.slice(0, index).split('\n').length}`,
      // In a doc comment each line has the star in front; an empty line has the star alone.
      code: body
        .split('\n')
        .map((line) => (line.startsWith(margin) ? line.slice(margin.length) : line.replace(/^\s*\*$/, '')))
        .join('\n'),
    }),
  )
}

/** An example inside the house that imports nothing speaks of the file that it stands in. */
function withOwnNames(path: string, snippet: Snippet): Snippet {
  if (/^import /m.test(snippet.code)) return snippet
  const names = [...readFileSync(path, 'utf8').matchAll(/^export (?:function|const|class|async function) (\w+)/gm)]
  const own = names.map(([, name]) => name).join(', ')
  return { ...snippet, code: `import { ${own} } from '${path.replace(/\.ts$/, '.js')}'\n${snippet.code}` }
}

const papers = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'].map((name) => join(root, name)),
  ...ts.sys.readDirectory(join(root, 'docs/guides'), ['.md']),
]
const sources = ts.sys.readDirectory(join(root, 'src'), ['.ts'])
const snippets = [
  ...papers.flatMap(snippetsOf),
  ...sources.flatMap((path) => snippetsOf(path).map((snippet) => withOwnNames(path, snippet))),
]

/** Type-checks the snippets as modules that stand where they are shown, and gives back what the compiler says of each. */
function check(all: readonly Snippet[]): Map<string, string[]> {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'tsconfig.json'),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
        throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'))
      },
    },
  )
  if (config === undefined) throw new Error('tsconfig.json cannot be read')
  // A snippet shows one thing; that it leaves a name unused is no fault of it.
  const options: ts.CompilerOptions = { ...config.options, noUnusedLocals: false, noUnusedParameters: false }
  const files = new Map(all.map(({ code, folder }, at) => [join(folder, `snippet-${at}.ts`), `${code}\nexport {}\n`]))
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (name) => files.has(name) || fileExists(name)
  host.readFile = (name) => files.get(name) ?? readFile(name)
  host.getSourceFile = (name, target, ...rest) => {
    const code = files.get(name)
    return code === undefined ? getSourceFile(name, target, ...rest) : ts.createSourceFile(name, code, target)
  }
  const program = ts.createProgram([...files.keys()], options, host)
  const entries = [...files.keys()].map((name, at): [string, string[]] => {
    const file = program.getSourceFile(name)
    const found =
      file === undefined ? [] : [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    return [all[at]?.where ?? name, found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))]
  })
  return new Map(entries)
}

describe('snippets', () => {
  test('are found where they are, margins off', () => {
    expect(snippets.filter(({ where }) => where.startsWith('README.md')).length).toBeGreaterThanOrEqual(5)
    expect(snippets.filter(({ where }) => where.startsWith('src/')).length).toBeGreaterThanOrEqual(20)
    for (const { code } of snippets) expect(code).not.toMatch(/^\s*\* /m)
  })

  test('what does not compile is found', { timeout: 120_000 }, () => {
    const wrong = "import { nobody } from 'offhook'\nconst text: string = 5\n"
    expect(check([{ where: 'here', folder: root, code: wrong }]).get('here')).toHaveLength(2)
  })

  test('all compile', { timeout: 120_000 }, () => {
    const faulty = [...check(snippets)].filter(([, faults]) => faults.length > 0)
    expect(faulty).toEqual([])
  })
})
