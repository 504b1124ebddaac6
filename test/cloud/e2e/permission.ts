/** The emulator enforces no IAM; so what every function asked for in this run is held against its own role here. */
import { readFileSync } from 'node:fs'
import { describe, expect, inject, it } from 'vitest'
import { isAllowed } from '#test/support/cloud/permission/evaluate.ts'
import type { RecordedCall } from '#test/support/cloud/permission/model.ts'
import { readRole } from '#test/support/cloud/permission/read-roles.ts'

export function permission(): void {
  const { file, functionNames } = inject('recordedCalls')
  const read = () =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as RecordedCall)

  describe('permissions', () => {
    it('cover every call that a function made, by its own role alone', async () => {
      const calls = read()
      const refused: string[] = []
      const lines: string[] = []
      for (const functionName of functionNames) {
        const own = calls.filter((call) => call.functionName === functionName)
        const statements = await readRole(inject('deployedOn').endpoint, functionName)
        const wanted = own.flatMap((call) => call.wanted)
        for (const { action, resource, context } of wanted.filter((one) => !isAllowed(statements, one))) {
          refused.push(`${functionName}: ${action} on ${resource} ${JSON.stringify(context)}`)
        }
        lines.push(`${functionName.padEnd(32)} ${String(wanted.length).padStart(5)} different calls`)
      }
      console.log(lines.join('\n'))
      expect([...new Set(refused)]).toEqual([])
      expect(calls.filter(({ wanted }) => wanted.length === 0).map(({ summary }) => summary)).toEqual([])
      expect(calls.filter(({ functionName }) => !functionNames.includes(functionName))).toEqual([])
      expect(calls.length).toBeGreaterThan(100)
    })

    it('were asked for by every function', () => {
      const called = new Set(read().map(({ functionName }) => functionName))
      expect(functionNames.filter((name) => !called.has(name))).toEqual([])
    })
  })
}
