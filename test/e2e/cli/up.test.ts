/** `backstop up`: it starts, says what it needs when it cannot, and stops without a trace. */

import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import type { TemporaryFolder } from '#test/support/cli/run-cli.ts'
import { makeTemporaryFolder, processesNaming, runCliJson, runCliProcess, startCli } from '#test/support/cli/run-cli.ts'
import { callGateway, executeQuery, startUpProcess } from '#test/support/cli/running-up.ts'
import { eventually } from '#test/support/eventually.ts'

let folder: TemporaryFolder
beforeEach(() => {
  folder = makeTemporaryFolder()
})
afterEach(() => folder.remove())

const TOKENS = JSON.stringify([
  { id: 'agent', token: 'agent-token-0123456789', scopes: ['query:execute', 'query:analyze'] },
  { id: 'alice', token: 'alice-token-0123456789', scopes: ['approval:read', 'approval:write'] },
])

function tokenFile(content = TOKENS): string {
  const path = join(folder.path, 'tokens.json')
  writeFileSync(path, content)
  return path
}

describe('backstop up on an embedded database', () => {
  test('prints the url, tokens and lines to copy; each line works; SIGTERM ends it and nothing is left', async () => {
    const running = startCli(['up', '--port', '0'], { TMPDIR: folder.path })
    await eventually(() => running.stdout().includes('Ctrl-C'), { timeoutMs: 180_000 })
    const text = running.stdout()
    const url = /^url +(\S+)$/m.exec(text)?.[1] ?? ''
    const agent = /^agent +(bst_\S+)$/m.exec(text)?.[1] ?? ''
    expect((await callGateway(url, '/health')).status).toBe(200)
    const body = JSON.parse(/-d '(\{.*?SELECT country.*?\})'/.exec(text)?.[1] ?? '')
    const answer = await callGateway(url, '/', agent, body)
    expect(answer.body.result).toMatchObject({ status: 'executed', row_count: 5 })
    expect(text).not.toMatch(/postgresql:\/\//)
    running.child.kill('SIGTERM')
    expect((await running.end).exitCode).toBe(0)
    await eventually(() => folder.list().length === 0 && processesNaming(folder.path).length === 0)
  })

  test('keeps what is held across restarts with --data, and the command line decides', async () => {
    const data = join(folder.path, 'data')
    const environment = { BACKSTOP_TOKENS: tokenFile() }
    const first = await startUpProcess(['--data', data], environment)
    const held = await executeQuery(first.ready.url, 'agent-token-0123456789', 'TRUNCATE customers CASCADE')
    expect(held.status).toBe('approval_required')
    first.child.kill('SIGINT')
    expect((await first.end).exitCode).toBe(0)

    const second = await startUpProcess(['--data', data], environment)
    const operator = { BACKSTOP_URL: second.ready.url, BACKSTOP_TOKEN: 'alice-token-0123456789' }
    const listed = await runCliJson(['approvals', 'list'], operator)
    expect(listed.data.approvals.map(({ id }: { id: string }) => id)).toEqual([held.approval_id])
    expect((await runCliJson(['approvals', 'approve', held.approval_id], operator)).exitCode).toBe(0)
    second.child.kill('SIGINT')
    await second.end
    const verified = await runCliJson(['audit', 'verify', '--data', data])
    expect(verified.data).toMatchObject({ ok: true, problems: [] })
  })
})

describe('backstop up says what is wrong and exits at once', () => {
  const start = (environment: Readonly<Record<string, string>>, ...args: string[]) =>
    runCliProcess(['up', '--data', join(folder.path, 'data'), ...args], { BACKSTOP_PORT: '0', ...environment })

  test('when the database cannot be reached, without showing the password', async () => {
    const { exitCode, stderr, stdout } = await start({
      BACKSTOP_DB_URL: 'postgresql://app:s3cret-pass@127.0.0.1:1/shop',
      BACKSTOP_TOKENS: tokenFile(),
    })
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toMatch(/^Error: .*127\.0\.0\.1:1\/shop/)
    expect(stderr).toContain('Hint:  Try: psql')
    expect(stderr).not.toContain('s3cret-pass')
  })

  test('when the port is taken', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    try {
      const environment = { BACKSTOP_DB_URL: inject('clusterUrl'), BACKSTOP_TOKENS: tokenFile() }
      const { exitCode, stderr } = await start(environment, '--port', String(port))
      expect(exitCode).toBe(1)
      expect(stderr).toContain('Hint:  Stop the other process or choose another port with BACKSTOP_PORT.')
    } finally {
      await new Promise((resolve) => other.close(resolve))
    }
  })

  test.each([
    ['there is no token file', undefined, 'TOKENS_INVALID'],
    ['it is not JSON', '[{"id": "a", ', 'TOKENS_INVALID'],
    ['it is no array', '{"tokens": []}', 'TOKENS_INVALID'],
    ['a scope is unknown', '[{"id": "a", "token": "0123456789abcdef", "scopes": ["x"]}]', 'TOKENS_INVALID'],
  ])('when %s', async (_, content, code) => {
    const tokens: Record<string, string> = content === undefined ? {} : { BACKSTOP_TOKENS: tokenFile(content) }
    const { exitCode, stdout } = await start({ BACKSTOP_DB_URL: inject('clusterUrl'), ...tokens }, '--json')
    expect(exitCode).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code } })
  })

  test('when the policy file is missing or malformed', async () => {
    const bad = join(folder.path, 'policy.json')
    writeFileSync(bad, '{"protected_table": []}')
    for (const [path, code] of [
      [join(folder.path, 'absent.json'), 'POLICY_MISSING'],
      [bad, 'POLICY_INVALID'],
    ] as const) {
      const environment = { BACKSTOP_DB_URL: inject('clusterUrl'), BACKSTOP_TOKENS: tokenFile(), BACKSTOP_POLICY: path }
      const { exitCode, stdout } = await start(environment, '--json')
      expect({ exitCode, code: JSON.parse(stdout).error.code }).toEqual({ exitCode: 2, code })
    }
  })

  test('when a variable is malformed', async () => {
    const { exitCode, stderr } = await start({ BACKSTOP_PORT: 'eighty' })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('BACKSTOP_PORT')
  })
})

test('dev mode is loud', async () => {
  const running = startCli(['up', '--port', '0'], { TMPDIR: folder.path, BACKSTOP_DEV_MODE: 'true' })
  await eventually(() => running.stdout().includes('Ctrl-C'), { timeoutMs: 180_000 })
  expect(running.stdout()).toContain('!!! DEV MODE')
  running.child.kill('SIGTERM')
  await running.end
})

test('a failed start of the embedded product leaves nothing behind', async () => {
  const { exitCode } = await runCliProcess(['up'], {
    TMPDIR: folder.path,
    BACKSTOP_STORAGE_URL: 'ftp://nowhere',
    BACKSTOP_PORT: '0',
  })
  expect(exitCode).toBe(2)
  await eventually(() => folder.list().length === 0 && processesNaming(folder.path).length === 0)
})
