/** The tests of one group of mutants, each file with the properties of fast-check cut short. */

import { defineConfig } from 'vitest/config'
import { groupOf } from './test/mutation/groups.js'

const { folder, tests } = groupOf(process.env['MUTATION_GROUP'] ?? 'budget')

export default defineConfig({
  test: {
    include: tests.map((name) => `test/${folder}/${name}.test.ts`),
    setupFiles: ['test/mutation/short-properties.ts'],
    testTimeout: 120_000,
    restoreMocks: true,
  },
})
