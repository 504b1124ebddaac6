/** Approvals and the audit ledger on the command line, against a running product. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TemporaryFolder } from '#test/support/cli/run-cli.ts'
import { makeTemporaryFolder, runCliJson, runCliProcess } from '#test/support/cli/run-cli.ts'
import type { RunningUp } from '#test/support/cli/running-up.ts'
import { callGateway, executeQuery, startUpProcess } from '#test/support/cli/running-up.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'

const AGENT = 'agent-token-0123456789'
const ALICE = 'alice-token-0123456789'
const BOTH = 'both-token-0123456789a'
const TOKENS = [
  { id: 'agent', token: AGENT, scopes: ['query:execute', 'query:analyze'] },
  { id: 'alice', token: ALICE, scopes: ['approval:read', 'approval:write'] },
  { id: 'both', token: BOTH, scopes: ['query:execute', 'approval:read', 'approval:write'] },
]

let database: TestDatabase
let folder: TemporaryFolder
let up: RunningUp
const asCaller = (token: string) => ({ BACKSTOP_URL: up.ready.url, BACKSTOP_TOKEN: token })

beforeAll(async () => {
  database = await createTestDatabase(
    'CREATE TABLE notes (id int PRIMARY KEY); INSERT INTO notes SELECT generate_series(1, 20)',
  )
  folder = makeTemporaryFolder()
  const tokens = join(folder.path, 'tokens.json')
  writeFileSync(tokens, JSON.stringify(TOKENS))
  writeFileSync(join(folder.path, 'alice.token'), `${ALICE}\n`)
  up = await startUpProcess(['--data', join(folder.path, 'data')], {
    BACKSTOP_DB_URL: database.url,
    BACKSTOP_TOKENS: tokens,
  })
})
afterAll(async () => {
  up.child.kill('SIGTERM')
  await up.end
  await database.drop()
  folder.remove()
})

async function hold(token: string, statement: string): Promise<string> {
  const answer = await executeQuery(up.ready.url, token, statement)
  expect(answer.status).toBe('approval_required')
  return answer.approval_id
}

describe('backstop approvals', () => {
  test('shows a held statement in full and approves it with a comment', async () => {
    const id = await hold(AGENT, 'DELETE FROM notes')
    const list = await runCliProcess([
      'approvals',
      'list',
      '--token-file',
      join(folder.path, 'alice.token'),
      '--url',
      up.ready.url,
    ])
    expect(list.stdout).toMatch(new RegExp(`^${id} +pending +\\w+ +DELETE +public\\.notes +20 \\(counted\\)`, 'm'))
    const show = await runCliProcess(['approvals', 'show', id], asCaller(ALICE))
    expect(show.stdout).toContain('Statement, as the agent wrote it:\nDELETE FROM notes')
    const approved = await runCliJson(
      ['approvals', 'approve', id, '--comment', 'cleared with the owner'],
      asCaller(ALICE),
    )
    expect(approved).toMatchObject({
      exitCode: 0,
      data: {
        ok: true,
        decision: { status: 'approved', approval_id: id, decided_by: 'alice', comment: 'cleared with the owner' },
      },
    })
    expect((await executeQuery(up.ready.url, AGENT, 'DELETE FROM notes', id)).status).toBe('executed')
    expect(await database.run('SELECT count(*)::int AS rows FROM notes')).toEqual([{ rows: 0 }])
  })

  test('tells a second decision who was first', async () => {
    const id = await hold(AGENT, 'TRUNCATE notes')
    expect((await runCliProcess(['approvals', 'deny', id], asCaller(ALICE))).exitCode).toBe(0)
    const { exitCode, stderr } = await runCliProcess(['approvals', 'approve', id], asCaller(BOTH))
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^Error: it was already denied by alice at 20\d\d-/)
    const listed = await runCliJson(['approvals', 'list', '--state', 'denied'], asCaller(ALICE))
    expect(listed.data.approvals.map((one: { id: string }) => one.id)).toEqual([id])
  })

  test('refuses to decide on one of the caller itself', async () => {
    const id = await hold(BOTH, 'TRUNCATE notes')
    const { exitCode, data } = await runCliJson(['approvals', 'approve', id], asCaller(BOTH))
    expect({ exitCode, code: data.error.code }).toEqual({ exitCode: 1, code: 'APPROVAL_SELF' })
  })

  test.each([
    [
      'a token without the scope',
      () => asCaller(AGENT),
      'INSUFFICIENT_SCOPE',
      'Token does not have approval:write scope',
    ],
    ['a token that is not known', () => asCaller('no-such-token-012345'), 'UNAUTHORIZED', ''],
    ['an id that does not exist', () => asCaller(ALICE), 'APPROVAL_MISSING', ''],
    [
      'a gateway that is not there',
      () => ({ BACKSTOP_URL: 'http://127.0.0.1:1', BACKSTOP_TOKEN: ALICE }),
      'GATEWAY_UNREACHABLE',
      '127.0.0.1:1',
    ],
  ])('explains %s', async (_, surroundings, code, words) => {
    const { exitCode, data } = await runCliJson(['approvals', 'approve', `appr_${'0'.repeat(32)}`], surroundings())
    expect({ exitCode, code: data.error.code }).toEqual({ exitCode: 1, code })
    expect(data.error.message).toContain(words)
    expect(data.error.hint).not.toBe('')
  })

  test('takes no token as an argument', async () => {
    const { exitCode, stderr } = await runCliProcess(['approvals', 'list', '--token', ALICE], asCaller(ALICE))
    expect(exitCode).toBe(2)
    expect(stderr).toContain("unknown option '--token'")
  })

  test('what an agent claims is marked as its claim and cannot play tricks on a terminal', async () => {
    const args = { query: 'TRUNCATE notes', agent_id: 'agent-2', reason: 'fine\u001b[2K\r\u202e approved already' }
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'execute_query', arguments: args } }
    const { body } = await callGateway(up.ready.url, '/', AGENT, call)
    const { stdout } = await runCliProcess(['approvals', 'show', body.result.approval_id], asCaller(ALICE))
    expect(stdout).toContain('Reason, as the agent claims (not checked):\nfine\\u{1b}[2K')
    for (const character of ['\u001b', '\r', '\u202e']) expect(stdout).not.toContain(character)
  })
})

describe('backstop audit', () => {
  const verify = (data: string, ...more: string[]) => runCliJson(['audit', 'verify', '--data', data, ...more])

  /** The ledger as it is after the product has sealed it at its end, in a folder of its own. */
  async function copyOfLedger(name: string): Promise<string> {
    const copy = join(folder.path, name)
    mkdirSync(copy)
    cpSync(join(folder.path, 'data'), copy, { recursive: true })
    return copy
  }

  const segmentsIn = (data: string): readonly string[] =>
    readdirSync(join(data, 'storage'), { recursive: true, encoding: 'utf8' })
      .filter((key) => key.startsWith('audit') && key.includes('.json'))
      .sort()
      .map((key) => join(data, 'storage', key))

  test('verifies beside the running product', async () => {
    const { exitCode, data } = await verify(join(folder.path, 'data'))
    expect({ exitCode, ok: data.ok, problems: data.problems }).toEqual({ exitCode: 0, ok: true, problems: [] })
    expect(data.checked.entries + data.checked.unsealed).toBeGreaterThan(5)
  })

  test('finds one changed character in a sealed segment', async () => {
    up.child.kill('SIGTERM')
    await up.end
    const copy = await copyOfLedger('changed')
    const head = (await verify(copy)).data.head_anchor
    expect(head).toMatch(/^\d+:[0-9a-f]{64}$/)
    const [segment = ''] = segmentsIn(copy)
    const text = readFileSync(segment, 'utf8')
    writeFileSync(segment, text.replace('DELETE FROM notes', 'DELETE FROM nodes'))
    expect(readFileSync(segment, 'utf8')).not.toBe(text)
    const { exitCode, data } = await verify(copy)
    expect({ exitCode, ok: data.ok }).toEqual({ exitCode: 1, ok: false })
    expect(data.problems.length).toBeGreaterThan(0)
  })

  test('compares with an anchor that was kept elsewhere', async () => {
    const copy = await copyOfLedger('anchored')
    const { head_anchor: anchor } = (await verify(copy)).data
    expect((await verify(copy, '--anchor', anchor)).data).toMatchObject({ ok: true, checked: { anchors: 1 } })
    const other = anchor.replace(/.$/, (digit: string) => (digit === '0' ? '1' : '0'))
    expect(await verify(copy, '--anchor', other)).toMatchObject({
      exitCode: 1,
      data: { problems: [{ code: 'anchor-differs' }] },
    })
    expect((await verify(copy, '--anchor', 'x')).exitCode).toBe(2)
  })

  test('an empty ledger proves nothing', async () => {
    const empty = join(folder.path, 'empty')
    mkdirSync(join(empty, 'storage'), { recursive: true })
    writeFileSync(join(empty, 'backstop.db'), '')
    expect(await verify(empty)).toMatchObject({ exitCode: 1, data: { ok: false, is_empty: true } })
    expect(await verify(join(folder.path, 'absent'))).toMatchObject({ exitCode: 1, data: { ok: false } })
  })

  test('exports every entry as JSON lines, and as CSV into a file', async () => {
    const copy = await copyOfLedger('exported')
    const { stdout, exitCode } = await runCliProcess(['audit', 'export', '--data', copy])
    expect(exitCode).toBe(0)
    const entries = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(entries.some(({ entry }) => entry.intent?.query === 'DELETE FROM notes')).toBe(true)
    expect(stdout).not.toContain(ALICE)
    const output = join(folder.path, 'ledger.csv')
    const written = await runCliJson(['audit', 'export', '--data', copy, '--format', 'csv', '--output', output])
    expect(written.data).toMatchObject({ ok: true, file: output, entries: entries.length })
    expect(readFileSync(output, 'utf8').startsWith('segment,')).toBe(true)
    const none = await runCliProcess(['audit', 'export', '--data', copy, '--to', '2000-01-01T00:00:00Z'])
    expect(none).toMatchObject({ exitCode: 0, stdout: '' })
  })
})
