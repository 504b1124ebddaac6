import { defineConfig } from 'vitest/config'

/** Projects by question, see CONTRIBUTING.md. Those that need a PostgreSQL share one cluster for the run. */
const withDatabase = { globalSetup: ['test/support/cluster-setup.ts'] }
/** The limits are for a machine that is busy with something else; what is done earlier does not wait for them. */
const project = (name: string, extra: object = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    ...extra,
  },
})

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      project('unit'),
      project('property', { testTimeout: 240_000 }),
      project('contract', { testTimeout: 120_000 }),
      project('corpus', { ...withDatabase, testTimeout: 240_000 }),
      project('integration', { ...withDatabase, testTimeout: 120_000 }),
      project('e2e', { ...withDatabase, testTimeout: 900_000 }),
    ],
  },
})
