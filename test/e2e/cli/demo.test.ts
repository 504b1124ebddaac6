/** The demonstration as a newcomer runs it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DemoWorld } from '#lib/cli/demo/model.ts'
import { runSteps } from '#lib/cli/demo/run.ts'
import { STEPS } from '#lib/cli/demo/steps.ts'
import { openWorld } from '#lib/cli/demo/world.ts'
import type { CliEnd, TemporaryFolder } from '#test/support/cli/run-cli.ts'
import { makeTemporaryFolder, processesNaming, runCliJson, runCliProcess, startCli } from '#test/support/cli/run-cli.ts'
import { eventually } from '#test/support/eventually.ts'

let folder: TemporaryFolder
beforeEach(() => {
  folder = makeTemporaryFolder()
})
afterEach(() => folder.remove())

const nothingIsLeft = () => folder.list().length === 0 && processesNaming(folder.path).length === 0

/** So often the demonstration may be over before a signal comes that is meant for its middle. */
const MOST_TOO_LATE = 5

/** Its end by a signal after the third step; undefined when all of it was over by then. */
async function endedBy(signal: NodeJS.Signals): Promise<CliEnd | undefined> {
  const demo = startCli(['demo'], { TMPDIR: folder.path })
  await eventually(() => demo.stdout().includes('\n3. '), { timeoutMs: 180_000, what: 'the third step' })
  demo.child.kill(signal)
  const end = await demo.end
  return end.exitCode === 0 && /All \d+ checks hold/.test(end.stdout) ? undefined : end
}

describe('backstop demo', () => {
  test('acts the main job, every check holds, and nothing is left behind', async () => {
    const { exitCode, data } = await runCliJson(['demo'], { TMPDIR: folder.path })
    const failed = data.steps.filter((step: { ok: boolean }) => !step.ok)
    expect(failed).toEqual([])
    expect({ exitCode, ok: data.ok, steps: data.steps.length }).toEqual({ exitCode: 0, ok: true, steps: 11 })
    expect(data.claim_count).toBeGreaterThanOrEqual(30)
    expect(data.checked_by_database).toBeGreaterThanOrEqual(15)
    await eventually(nothingIsLeft, { what: 'the temporary folder is empty' })
  })

  test('prints plain text in a pipe', async () => {
    const { exitCode, stdout, stderr } = await runCliProcess(['demo'], { TMPDIR: folder.path })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).not.toContain('\u001b')
    expect(stdout).toContain('✓ measured 2401 rows')
    expect(stdout).toMatch(/All \d+ checks hold/)
    expect(stdout.split('\n').length).toBeLessThan(80)
  })

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'ends on %s in the middle with 130 and leaves nothing behind',
    async (signal) => {
      let end = await endedBy(signal)
      for (let again = 0; end === undefined && again < MOST_TOO_LATE; again++) end = await endedBy(signal)
      expect(end?.exitCode).toBe(130)
      expect(end?.stdout).not.toContain('checks hold')
      await eventually(nothingIsLeft, { timeoutMs: 30_000, what: 'the temporary folder is empty' })
    },
  )

  test('ends cleanly when the reader goes away', async () => {
    const demo = startCli(['demo'], { TMPDIR: folder.path })
    demo.child.stdout?.once('data', () => demo.child.stdout?.destroy())
    await demo.end
    await eventually(nothingIsLeft, { timeoutMs: 30_000, what: 'the temporary folder is empty' })
  })
})

describe('a product that does not keep its word', () => {
  type Tamper = (world: DemoWorld) => Partial<DemoWorld>

  /** The steps that are false, in a world that was tampered with. */
  async function falseSteps(tamper: Tamper): Promise<readonly string[]> {
    const { world, close } = await openWorld(process.env, new AbortController().signal)
    try {
      const steps = await runSteps(STEPS, { ...world, ...tamper(world) }, async () => {})
      return steps.filter((step) => !step.ok).map((step) => step.id)
    } finally {
      await close()
    }
  }

  test('is found out when a held DELETE takes a row all the same', async () => {
    const steps = await falseSteps((world) => ({
      execute: async (query, approvalId) => {
        const answer = await world.execute(query, approvalId)
        if (query.startsWith('WITH old')) await world.runDirectly(['DELETE FROM payments WHERE id = 17'])
        return answer
      },
    }))
    expect(steps).toContain('hidden-delete')
  })

  test('is found out when the recovered table differs in one value', async () => {
    const steps = await falseSteps((world) => ({
      cli: async (...args) => {
        const answer = await world.cli(...args)
        if (args[0] === 'recover')
          await world.runDirectly(['UPDATE payments_recovered SET amount = amount + 0.01 WHERE id = 17'])
        return answer
      },
    }))
    expect(steps).toEqual(['recover', 'copyback'])
  })

  test('is found out when it says that it executed and did not', async () => {
    const steps = await falseSteps((world) => ({
      execute: async (query, approvalId) => {
        if (approvalId === undefined) return world.execute(query)
        return {
          ...(await world.execute('SELECT 1')),
          recovery_points: [{ snapshot_id: 'snap_x', table: 'payments', row_count: 3_600 }],
        }
      },
    }))
    expect(steps).toContain('drop-approved')
  })
})
