// The quick part of the lab: failures of known cause, for real, through a client built from the sources as they are. The
// mechanism is named right, and nobody in between is blamed for what the peer's application or this host has done.
import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { judge } from './judge.js'
import { sweep, whyNoNamespaces } from './network.js'
import { scenarios } from './scenarios/all.js'
import { scoreOf } from './score.js'
import { tryOut } from './trial.js'

const root = join(import.meta.dirname, '../..')
// A build of its own: that of `npm run build` may be under way at the same time.
const built = join(root, 'node_modules/.cache/offhook-lab', String(process.pid))
const noHosts = whyNoNamespaces()
const quick = scenarios.filter((scenario) => scenario.quick)

beforeAll(async () => {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const options = ['--outDir', built, '--tsBuildInfoFile', join(built, '.tsbuildinfo')]
  await promisify(execFile)(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json'), ...options])
  sweep()
}, 120_000)

afterAll(() => rmSync(built, { recursive: true, force: true }))

test('every scenario has a name of its own and a truth', () => {
  expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length)
  expect(scenarios.length).toBeGreaterThanOrEqual(30)
  for (const { name, label } of scenarios) {
    expect([label.mechanism, label.story].flat(), name).not.toContain(undefined)
  }
})

describe.concurrent.each(quick.map((scenario) => ({ scenario, name: scenario.name })))('$name', ({ scenario }) => {
  const hosts = scenario.hosts === true
  const why = hosts && noHosts !== undefined ? ` (skipped: ${noHosts})` : ''
  test.skipIf(why !== '')(`${scenario.says}${why}`, { timeout: 60_000 }, async () => {
    const how = { hosts, roundTripMs: 20, loopDelayMs: 0, turn: 0, probe: false }
    const trial = await tryOut(scenario, { ...how, packageUrl: pathToFileURL(`${built}/`).href })
    expect(trial.trouble).toBeUndefined()
    if (trial.report === undefined) return
    const { diagnosis } = trial.report
    expect([scenario.label.mechanism].flat()).toContain(diagnosis?.mechanism)
    const { thirdBlamed } = scoreOf([judge(scenario, trial.report, trial.roundTripMs)])
    expect(thirdBlamed || 0, `${diagnosis?.headline} named ${diagnosis?.party}`).toBe(0)
    const whole = diagnosis?.hypotheses.reduce((sum, { probability }) => sum + probability, 0)
    expect(whole).toBeCloseTo(1, 6)
  })
})
