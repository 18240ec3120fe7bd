import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const manifest = JSON.parse(readFileSync(here('package.json'), 'utf8'))

// `import 'offhook/x'` in tests and examples means the sources of that entrance, so that no build has to come first.
const alias = Object.entries<{ default?: string }>(manifest.exports).flatMap(([entrance, { default: built }]) =>
  built === undefined
    ? []
    : [
        {
          find: new RegExp(`^${entrance.replace('.', 'offhook')}$`),
          replacement: here(built.replace('./dist/', 'src/').replace('.js', '.ts')),
        },
      ],
)

export default defineConfig({
  resolve: { alias },
  test: {
    include: ['test/**/*.test.ts'],
    // Every file in a process of its own: what one leaves behind (the default client, msw, a global dispatcher) cannot
    // reach another.
    pool: 'forks',
    // One for each core: most of them wait for sockets most of the time.
    maxWorkers: '100%',
    // Against hanging, not for speed: what is right takes long enough where others have the machine too.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Real sockets on a machine that others share: a test that only the scheduler failed is run once more. Not for flakes
    // of our own: without CI set, there is no second try.
    retry: process.env['CI'] === undefined ? 0 : 1,
    restoreMocks: true,
    unstubGlobals: true,
  },
})
