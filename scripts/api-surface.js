// The public surface, as text: for each entrance of the package every name that can be imported, with its declaration as
// the compiler writes it, comments off; and what these are made of that has no public name. Read from the sources, so that
// no build has to come first.
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** The page of each entrance, by the name of its file: `socket.api.md` for `offhook/socket`. */
export function apiPages() {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const entrances = Object.entries(manifest.exports).flatMap(([path, target]) =>
    target.types === undefined ? [] : [{ path, file: join(root, target.types.replace('./dist/', 'src/')) }],
  )
  const declarations = declare(entrances.map(({ file }) => file.replace(/\.d\.ts$/, '.ts')))
  const program = programOver(declarations)
  const checker = program.getTypeChecker()
  const exported = entrances.map((entrance) => ({ ...entrance, names: namesOf(program, checker, entrance.file) }))
  const all = new Set(exported.flatMap(({ names }) => [...names.values()]))
  return new Map(
    exported.map(({ path, names }) => {
      const text = pageOf(path.replace('.', manifest.name), names, beneath({ checker, names, all, declarations }))
      return [`${path === '.' ? manifest.name : path.slice(2)}.api.md`, text]
    }),
  )
}

/** The settings of the build. */
function options() {
  const path = join(root, 'tsconfig.build.json')
  const { options: read } = ts.parseJsonConfigFileContent(ts.readConfigFile(path, ts.sys.readFile).config, ts.sys, root)
  return read
}

/** Every file of the sources as a declaration file, in memory. */
function declare(/** @type {string[]} */ files) {
  /** @type {Map<string, string>} */
  const written = new Map()
  const given = { ...options(), outDir: join(root, 'src'), emitDeclarationOnly: true, incremental: false }
  const { tsBuildInfoFile: _, ...rest } = given
  const program = ts.createProgram(files, rest)
  program.emit(undefined, (name, text) => written.set(name, text))
  return written
}

/** A program that finds these declarations where the sources lie. */
function programOver(/** @type {Map<string, string>} */ declarations) {
  const settings = { ...options(), noEmit: true, incremental: false, rootDir: root }
  const { tsBuildInfoFile: _, ...rest } = settings
  const host = ts.createCompilerHost(rest)
  const { fileExists, readFile, getSourceFile } = host
  const isSource = (/** @type {string} */ name) => name.startsWith(join(root, 'src')) && !name.endsWith('.d.ts')
  host.fileExists = (name) => declarations.has(name) || (!isSource(name) && fileExists(name))
  host.readFile = (name) => declarations.get(name) ?? readFile(name)
  host.getSourceFile = (name, target, ...more) => {
    const text = declarations.get(name)
    return text === undefined ? getSourceFile(name, target, ...more) : ts.createSourceFile(name, text, target, true)
  }
  return ts.createProgram([...declarations.keys()], rest, host)
}

function namesOf(/** @type {ts.Program} */ program, /** @type {ts.TypeChecker} */ checker, /** @type {string} */ file) {
  const source = program.getSourceFile(file)
  const module = source && checker.getSymbolAtLocation(source)
  if (module === undefined) throw new Error(`${file} exports nothing`)
  const names = checker.getExportsOfModule(module).map((symbol) => {
    const aliased = (symbol.flags & ts.SymbolFlags.Alias) !== 0
    return /** @type {const} */ ([symbol.name, aliased ? checker.getAliasedSymbol(symbol) : symbol])
  })
  return new Map(names.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * What the public names are made of and that is exported from no entrance.
 *
 * @param {{ checker: ts.TypeChecker, names: Map<string, ts.Symbol>, all: Set<ts.Symbol>, declarations: Map<string, string> }} from
 */
function beneath({ checker, names, all, declarations }) {
  /** @type {Map<string, ts.Symbol>} */
  const found = new Map()
  const isOurs = (/** @type {ts.Symbol} */ symbol) =>
    symbol.declarations?.some((one) => declarations.has(one.getSourceFile().fileName) && isStatement(one)) === true
  const visit = (/** @type {ts.Node} */ node) => {
    if (ts.isIdentifier(node)) {
      const near = checker.getSymbolAtLocation(node)
      const symbol = near && (near.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(near) : near
      if (symbol !== undefined && !all.has(symbol) && !found.has(symbol.name) && isOurs(symbol)) {
        found.set(symbol.name, symbol)
        for (const declaration of symbol.declarations ?? []) visit(statementOf(declaration))
      }
    }
    ts.forEachChild(node, visit)
  }
  for (const symbol of names.values()) for (const one of symbol.declarations ?? []) visit(statementOf(one))
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function isStatement(/** @type {ts.Node} */ node) {
  return statementOf(node).parent?.kind === ts.SyntaxKind.SourceFile
}

/** A variable's declaration is part of a statement, which is what is printed. */
function statementOf(/** @type {ts.Node} */ node) {
  return ts.isVariableDeclaration(node) ? node.parent.parent : node
}

function pageOf(
  /** @type {string} */ title,
  /** @type {Map<string, ts.Symbol>} */ names,
  /** @type {Map<string, ts.Symbol>} */ hidden,
) {
  const below = hidden.size === 0 ? '' : `\n## Without a public name\n\n${blockOf(hidden)}`
  return `# ${title}\n\n${names.size} names. Renewed by \`npm run api\`.\n\n${blockOf(names)}${below}`
}

function blockOf(/** @type {Map<string, ts.Symbol>} */ names) {
  const printer = ts.createPrinter({ removeComments: true })
  const texts = [...names].map(([name, symbol]) => {
    const printed = (symbol.declarations ?? []).map((declaration) => {
      const node = statementOf(declaration)
      const text = printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile())
      return text
        .replace(/^export (declare )?/, '')
        .replace(/^declare /, '')
        .replace(/^ +#private;\n/gm, '')
    })
    const renamed = symbol.name === name ? '' : `// as ${name}\n`
    return renamed + [...new Set(printed)].join('\n')
  })
  return `\`\`\`ts\n${texts.join('\n\n')}\n\`\`\`\n`
}
