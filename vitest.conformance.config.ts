import { defineConfig } from 'vitest/config'
import { ConformanceReporter } from './test/support/pages/conformance-reporter.ts'

/** Both public pages, line by line, against the running product: run by `npm run conformance`. It needs PostgreSQL's own programs and Python. */
export default defineConfig({
  test: {
    reporters: ['default', new ConformanceReporter()],
    projects: [
      {
        test: {
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          globalSetup: ['test/support/conformance-setup.ts', 'test/support/cloud-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
