import { defineConfig } from 'vitest/config'

/** What needs a local cloud (Python's MiniStack, or LocalStack) and the CDK: run by `npm run cloud:test`. */
const setup = ['test/support/cluster-setup.ts', 'test/support/cloud-setup.ts']
const project = (name: string, include: string, extra: object = {}) => ({
  test: {
    name,
    include: [include],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    ...extra,
  },
})

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      // Synthesized stages are shared by all files: one process, one after the other, is five times as fast.
      project('infra', 'test/infra/**/*.test.ts', { isolate: false, fileParallelism: false }),
      project('cloud-contract', 'test/cloud/contract/**/*.test.ts', { globalSetup: setup }),
      project('cloud-fault', 'test/cloud/fault/**/*.test.ts', { globalSetup: setup }),
      // One deployment for all of them, so that they run one after the other.
      project('cloud-e2e', 'test/cloud/e2e/**/*.test.ts', {
        globalSetup: ['test/support/deployment-setup.ts'],
        testTimeout: 600_000,
        fileParallelism: false,
      }),
    ],
  },
})
