/** What the first thousands of statements take in memory, in a process of their own. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../../../..')
const STATEMENTS = 3_000
/** Less than half of what the optimizing compiler takes for the parser, and twice what a process takes without it. */
const MOST_MIB = 280
const PROGRAM = `
const { classify, loadClassifier } = await import('#lib/gate/index.ts')
await loadClassifier()
for (let n = 0; n < ${STATEMENTS}; n++) {
  const read = classify('SELECT id, name FROM users WHERE id = ' + n)
  if (!read.ok || read.level !== 'SAFE') throw new Error('not classified')
}
await new Promise((resolve) => setTimeout(resolve, 2_000))
console.log(Math.round(process.resourceUsage().maxRSS / 1024))`

it('is not the many times over that compiling the parser a second time would take', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    cwd: ROOT,
  })
  const peakMib = Number(stdout)
  process.stdout.write(`peak of ${STATEMENTS} classified statements: ${peakMib} MiB\n`)
  expect(peakMib).toBeGreaterThan(40)
  expect(peakMib).toBeLessThan(MOST_MIB)
})
