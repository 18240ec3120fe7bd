import { spawn } from 'node:child_process'

/**
 * Runs one shell command to its end. Past its patience, or when this process is told to stop, the command is killed with
 * everything that it started, so that a hanging test run leaves no process behind.
 *
 * @param {string} command
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, patienceMs?: number, show?: boolean }} [options] `show` lets the
 *   reader see the output as it comes, instead of keeping it for the caller.
 * @returns {Promise<{ ok: boolean, output: string, seconds: number }>}
 */
export function run(command, { cwd, env, patienceMs = 10 * 60_000, show = false } = {}) {
  const started = performance.now()
  const ownGroup = process.platform !== 'win32'
  const child = spawn(command, {
    shell: true,
    stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    detached: ownGroup,
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  })

  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }

  const kill = () => {
    try {
      if (ownGroup && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      else child.kill('SIGKILL')
    } catch {
      // It ended by itself in the meantime.
    }
  }
  const stop = () => {
    kill()
    process.exit(130)
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  const timer = setTimeout(() => {
    output += `\nkilled after ${patienceMs / 1000} s\n`
    if (show) console.log(`killed after ${patienceMs / 1000} s: ${command}`)
    kill()
  }, patienceMs)

  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      process.off('SIGINT', stop)
      process.off('SIGTERM', stop)
      resolve({ ok: code === 0, output, seconds: (performance.now() - started) / 1000 })
    })
  })
}
