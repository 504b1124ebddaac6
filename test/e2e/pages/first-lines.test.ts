/** Every line that `backstop up` prints for copying, run word for word in a shell. */
import { expect, test } from 'vitest'
import { makeTemporaryFolder, startCli } from '#test/support/cli/run-cli.ts'
import { eventually } from '#test/support/eventually.ts'
import { makeBin, runStep } from '#test/support/pages/runbook.ts'

/** A line that ends in a backslash goes on. */
function curlLines(text: string): readonly string[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.startsWith('curl '))
}

const ANSWERS: readonly RegExp[] = [
  /"status":"executed".*"row_count":5/,
  /"status":"approval_required"/,
  /"pending":\[\{.*"count":1\}/,
  /"status":"approved"/,
  /"gateway":"healthy"/,
  /"status":"emergency_paused"/,
  /"status":"emergency_resumed"/,
]

test('each line answers as its title says, in the order in which they are printed', async () => {
  const folder = makeTemporaryFolder()
  const running = startCli(['up', '--port', '0'], { TMPDIR: folder.path })
  try {
    await eventually(() => running.stdout().includes('Ctrl-C'), { timeoutMs: 180_000 })
    const lines = curlLines(running.stdout())
    expect(lines).toHaveLength(ANSWERS.length)
    const bin = makeBin(folder.path)
    let approvalId = 'none was held'
    for (const [index, line] of lines.entries()) {
      const end = await runStep(line.replace('appr_…', approvalId), folder.path, bin, {})
      expect(end).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(ANSWERS[index] ?? /^$/), stderr: '' })
      approvalId = /appr_[0-9a-f]{32}/.exec(end.stdout)?.[0] ?? approvalId
    }
  } finally {
    running.child.kill('SIGTERM')
    await running.end
    folder.remove()
  }
})
