// Mutation testing of one group of files; `npm run mutation` runs them one after the other.
import { groupOf } from './test/mutation/groups.js'

const name = process.env['MUTATION_GROUP'] ?? 'budget'
const { folder, sources } = groupOf(name)

export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'vitest.mutation.config.ts', related: false },
  mutate: sources.map((source) => `src/${folder}/${source}.ts`),
  coverageAnalysis: 'perTest',
  // Rows of tables are made when a module loads, and whoever mutates them has to load everything anew for each: the
  // tests that walk the tables cell by cell against their own oracle prove more.
  ignoreStatic: true,
  concurrency: Number(process.env['MUTATION_WORKERS'] ?? 1),
  timeoutMS: 10_000,
  dryRunTimeoutMinutes: 15,
  reporters: ['json', 'progress-append-only'],
  // What was tried before is not tried again, unless it or its tests have changed. Delete the file to begin anew.
  incremental: true,
  incrementalFile: `reports/mutation/${name}.incremental.json`,
  jsonReporter: { fileName: `reports/mutation/${name}.json` },
  ignorePatterns: [
    'biome.json',
    'build',
    'coverage',
    'dist',
    'docs',
    'examples',
    'reports',
    'test/chaos',
    'test/bench',
    'test/lab',
  ],
  tempDirName: '.stryker-tmp',
}
