import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rudeServer } from 'offhook/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { help, runCommand } from '../../src/doctor/command.js'
import { demoLines } from '../../src/doctor/demo-lines.js'
import { MemoryTerminal } from './memory-terminal.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))

async function typed(...args: string[]) {
  const out = new MemoryTerminal()
  const err = new MemoryTerminal()
  const code = await runCommand(args, { out, err })
  return { code, out: out.text, err: err.text }
}

describe('runCommand', () => {
  test.each([['--help'], ['-h'], ['help'], ['demo', '--help']])('%s %s prints the help', async (...args) => {
    expect(await typed(...args)).toEqual({ code: 0, out: help, err: '' })
  })

  test('--version prints the version of the manifest', async () => {
    expect(await typed('--version')).toEqual({ code: 0, out: `${manifest.version}\n`, err: '' })
  })

  test.each([
    [[], 'which command?'],
    [['dance'], 'there is no command dance'],
    [['demo', 'https://a.example', 'https://b.example'], 'one URL at most'],
    [['demo', 'a.example'], 'a URL begins with http:// or https://'],
    [['demo', 'ftp://a.example'], 'a URL begins with http:// or https://'],
    [['demo', 'https://'], 'a URL begins with http:// or https://'],
    [['demo', 'https://me:secret@a.example'], 'no user name or password'],
    [['demo', '--loud'], "'--loud'"],
    [['demo', '--json'], '--json is the doctor'],
    [['doctor'], 'doctor takes a URL'],
    [['doctor', 'https://a.example', 'https://b.example'], 'takes one URL'],
    [['doctor', 'https://me:secret@a.example'], 'no user name or password'],
    [['doctor', 'https://a.example', '--idle', 'long'], '--idle takes a time such as 400s'],
    [['doctor', 'https://a.example', '--idle', '61m'], 'an hour at most'],
    [['doctor', 'https://a.example', '--requests', '-1'], '--requests'],
  ])('%j makes no sense: says why, prints the help, exit code 2', async (args, why) => {
    const { code, out, err } = await typed(...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(why)
    expect(err).toContain(help)
    expect(err).not.toContain('secret')
  })

  test('demo with a URL goes to that URL', async () => {
    await using server = await rudeServer()
    const { code, out } = await typed('demo', server.url)
    expect(code).toBe(0)
    expect(out).toContain(`GET requests to ${server.url}/`)
  })
})

describe('doctor', () => {
  test('examines, reports for people and for machines, and says by its exit code what it found', async () => {
    await using server = await rudeServer()
    const { code, out } = await typed(
      'doctor',
      `${server.url}/orders?token=secret`,
      '--idle',
      '200ms',
      '--requests',
      '3',
    )
    expect({ code }).toEqual({ code: 0 })
    for (const part of ['127.0.0.1', '200', '3 requests on one connection', '200 ms: kept']) expect(out).toContain(part)
    expect(out).not.toContain('secret')
    const machine = await typed('doctor', server.url, '--idle', '0', '--requests', '0', '--json')
    expect(JSON.parse(machine.out)).toMatchObject({ url: `${server.url}/`, answer: { status: 200 }, stopped: false })
  })

  test('the first Ctrl-C ends it in good order', async () => {
    await using server = await rudeServer()
    const listeners = process.listenerCount('SIGINT')
    const examined = typed('doctor', server.url, '--idle', '60s', '--requests', '0', '--json')
    await server.until(() => server.connections.idle >= 5)
    process.emit('SIGINT')
    const { code, out } = await examined
    expect(code).toBe(130)
    expect(JSON.parse(out)).toMatchObject({ stopped: true, answer: { status: 200 } })
    expect(process.listenerCount('SIGINT')).toBe(listeners)
    await server.until(() => server.connections.open === 0)
  })
})

describe('the built program', () => {
  beforeAll(async () => {
    const build = await run('npm', ['run', '--silent', 'build'])
    expect(build).toMatchObject({ code: 0 })
  }, 120_000)

  test('plays the whole demo, and every line comes out as expected', { timeout: 60_000 }, async () => {
    const { code, out, err } = await run(process.execPath, ['dist/doctor/cli.js', 'demo'])
    expect(err).toBe('')
    expect(out).toContain(`${demoLines.length} of ${demoLines.length} lines came out as expected`)
    expect(code).toBe(0)
  })

  test('gives its exit code to the shell', async () => {
    expect(await run(process.execPath, ['dist/doctor/cli.js', 'dance'])).toMatchObject({ code: 2, out: '' })
    expect(await run(process.execPath, ['dist/doctor/cli.js', '--help'])).toEqual({ code: 0, out: help, err: '' })
  })
})

async function run(command: string, args: readonly string[]) {
  const { FORCE_COLOR: _, ...env } = process.env
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (err += text))
  const [code] = await once(child, 'close')
  return { code, out, err }
}
