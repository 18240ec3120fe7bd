// The parts of the benchmark: what each measures, of whom, and how much of it.
import { brownOut } from './brown-out.mjs'
import { contestants, isAsked } from './contestants.mjs'
import { cpuPerCall, diagnosisTime, importTime, memoryPerCall } from './measure.mjs'
import { brownReport, cpuReport, diagnosisReport, importReport, memoryReport, sizeReport } from './report.mjs'
import { weightOf } from './weigh.mjs'

/**
 * @typedef {{ table: import('./report.mjs').Table, aims: import('./report.mjs').Aim[], plots?: Record<string, string> }} Report
 * @typedef {{ server: import('./measure.mjs').Far, quick: boolean, among: (name: string) => boolean }} Setting
 */

const everybody = Object.keys(contestants)
const callers = everybody.filter((name) => !isAsked(name))
const packages = ['undici', 'offhook', 'got', 'axios', 'ky', 'make-fetch-happen', 'cockatiel']
/** @param {string} name */
const happyAim = (name) => ({ 'offhook.request': 1.05, 'offhook.fetch': 1 })[name]
/** @param {string} name */
const errorAim = (name) => (name === 'offhook.request' || name === 'offhook.fetch' ? 1.5 : undefined)

/** @param {import('./measure.mjs').Method} method @param {number} concurrency @param {number} calls */
const loadOf = (method, concurrency, calls) => ({ method, concurrency, calls })

/** Small calls, one at a time and fifty. @param {boolean} quick */
export const smallLoads = (quick) => [
  loadOf('get', 1, quick ? 600 : 2000),
  loadOf('get', 50, quick ? 1000 : 3000),
  loadOf('post', 1, quick ? 600 : 2000),
  loadOf('post', 50, quick ? 1000 : 3000),
]

/** @type {Readonly<Record<string, (setting: Setting, progress: import('./measure.mjs').Progress) => Promise<Report>>>} */
export const sections = {
  cpu: async ({ server, quick, among }, progress) => {
    const plan = quick ? { starts: 1, rounds: 3 } : { starts: 3, rounds: 7 }
    const names = callers.filter(among)
    const figures = await cpuPerCall({ server, names, loads: smallLoads(quick), ...plan }, progress)
    return cpuReport(figures, { head: 'µs of CPU per call', what: 'CPU of', allowed: happyAim })
  },
  streams: async ({ server, quick, among }, progress) => {
    const loads = [loadOf('download', 4, quick ? 20 : 100), loadOf('upload', 4, quick ? 20 : 100)]
    const plan = quick ? { starts: 1, rounds: 2 } : { starts: 2, rounds: 5 }
    const figures = await cpuPerCall({ server, names: callers.filter(among), loads, ...plan }, progress)
    return cpuReport(figures, { head: 'µs of CPU per MiB', what: 'CPU of', allowed: happyAim })
  },
  crowd: async ({ server, quick, among }, progress) => {
    const loads = [loadOf('get', quick ? 1000 : 10_000, quick ? 2000 : 20_000)]
    const plan = quick ? { starts: 1, rounds: 1 } : { starts: 1, rounds: 3 }
    const figures = await cpuPerCall({ server, names: callers.filter(among), loads, ...plan }, progress)
    return cpuReport(figures, { head: 'µs of CPU per call', what: 'CPU of', allowed: happyAim })
  },
  errors: async ({ server, quick, among }, progress) => {
    /** @type {import('./measure.mjs').Method[]} */
    const ways = ['refused', 'reset', 'reset, used', 503]
    const loads = ways.map((way) => loadOf(way, 1, quick ? 150 : 500))
    const plan = quick ? { starts: 1, rounds: 2 } : { starts: 2, rounds: 7 }
    const names = everybody.filter(among)
    const figures = await cpuPerCall({ server, names, loads, manner: 'once', ...plan }, progress)
    return cpuReport(figures, { head: 'µs of CPU per failed call', what: 'error of', allowed: errorAim })
  },
  diagnosis: async ({ server, quick }, progress) =>
    diagnosisReport(await diagnosisTime({ server, rounds: quick ? 3 : 11 }, progress)),
  memory: async ({ server, quick }, progress) => {
    const names = ['undici.request', 'offhook.request', 'global fetch', 'offhook.fetch']
    const plan = { url: server.url, names, calls: quick ? 2000 : 10_000, rounds: quick ? 1 : 3 }
    return memoryReport(await memoryPerCall(plan, progress))
  },
  import: async ({ quick }, progress) =>
    importReport(await importTime({ names: packages, rounds: quick ? 5 : 21 }, progress)),
  size: async () => sizeReport(new Map(packages.map((name) => [name, weightOf(name)]))),
  'brown-out': async ({ quick, among }, progress) => {
    const course = quick ? { before: 3, brown: 6, after: 12 } : { before: 5, brown: 20, after: 60 }
    const names = callers.filter(among)
    return brownReport(await brownOut(names, course, progress), course)
  },
}
