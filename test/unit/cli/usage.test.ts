import { describe, expect, test } from 'vitest'
import { COMMANDS } from '#lib/cli/commands.ts'
import { runInProcess } from '#test/support/cli/fake-io.ts'

describe('usage', () => {
  test('exits with 2 and the nearest command for a misspelt one', async () => {
    const { exitCode, stdout, stderr } = await runInProcess(['analize', 'SELECT 1'])
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toBe("Error: unknown command 'analize'\nHint:  Did you mean analyze?\n")
  })

  test('exits with 2 and the nearest flag for a misspelt one', async () => {
    const { exitCode, stderr } = await runInProcess(['snapshots', 'list', '--tabel', 'users'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('Hint:  Did you mean --table?')
  })

  test.each([[[]], [['snapshots']], [['analyze']], [['snapshot']], [['recover']], [['approvals', 'approve']]])(
    'exits with 2 when something is missing: %j',
    async (words) => {
      const { exitCode, stderr } = await runInProcess(words)
      expect(exitCode).toBe(2)
      expect(stderr).toMatch(/^Error: .+\nHint: {2}.+\n$/)
    },
  )

  test('gives an error as JSON on standard output with --json, wherever it stands', async () => {
    for (const words of [
      ['--json', 'analize'],
      ['analize', '--json'],
    ]) {
      const { exitCode, stdout, stderr } = await runInProcess(words)
      expect(exitCode).toBe(2)
      expect(JSON.parse(stdout)).toEqual({
        ok: false,
        error: { code: 'USAGE_INVALID', message: "unknown command 'analize'", hint: 'Did you mean analyze?' },
      })
      expect(stderr).toBe('')
    }
  })

  test('prints the version', async () => {
    expect(await runInProcess(['--version'])).toEqual({ exitCode: 0, stdout: '0.1.0\n', stderr: '' })
  })

  test('every command has a help with at least one example that names it', async () => {
    expect(COMMANDS.length).toBeGreaterThanOrEqual(15)
    for (const { path } of COMMANDS) {
      const { exitCode, stdout } = await runInProcess([...path, '--help'])
      expect(exitCode).toBe(0)
      const examples = stdout.slice(stdout.indexOf('Examples:'))
      expect(stdout).toContain('Examples:')
      expect(examples).toContain(`backstop ${path.join(' ')}`)
      expect(stdout).toContain('--json')
    }
  })

  test('the help of the whole lists every command', async () => {
    const { stdout } = await runInProcess(['--help'])
    for (const { path } of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${path[0]} `, 'm'))
  })
})
