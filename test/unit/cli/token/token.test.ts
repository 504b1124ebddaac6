import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkScopes, makeToken, readExpiry, TOKEN_BYTES } from '#lib/cli/token/entry.ts'
import { addEntry } from '#lib/cli/token/file.ts'
import { sha256Hex } from '#lib/kernel/index.ts'
import { runInProcess } from '#test/support/cli/fake-io.ts'

const BYTES = new Uint8Array(TOKEN_BYTES).fill(255)

describe('a new token', () => {
  test('is 256 bits with a prefix, and its entry holds the digest alone', () => {
    const { token, entry } = makeToken({ id: 'agent', scopes: ['query:execute'], agentIds: ['a1'] }, BYTES)
    expect(token).toBe(`bst_${'_'.repeat(42)}8`)
    expect(entry).toEqual({
      id: 'agent',
      token_sha256: sha256Hex(token),
      scopes: ['query:execute'],
      agent_ids: ['a1'],
    })
    expect(JSON.stringify(entry)).not.toContain(token)
  })

  test.each([
    ['30m', '2026-01-01T00:30:00.000Z'],
    ['12h', '2026-01-01T12:00:00.000Z'],
    ['90d', '2026-04-01T00:00:00.000Z'],
    ['1w', '2026-01-08T00:00:00.000Z'],
  ])('that holds for %s expires at %s', (text, instant) => {
    expect(readExpiry(text, Date.UTC(2026, 0, 1))).toBe(instant)
  })

  test.each(['', '90', 'd', '0d', '-1d', '1.5h', '90 d', '1y'])('refuses the time %j', (text) => {
    expect(() => readExpiry(text, 0)).toThrow('--expires-in')
  })

  test('refuses scopes that do not exist, and none', () => {
    expect(() => checkScopes(['query:run'])).toThrow('unknown scope "query:run"')
    expect(() => checkScopes([])).toThrow('no scope is given')
  })
})

describe('the token file', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'backstop-token-test-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const create = (id: string, ...more: string[]) =>
    runInProcess([
      'token',
      'create',
      '--id',
      id,
      '--scopes',
      'query:execute, query:analyze',
      '--file',
      join(folder, 'tokens.json'),
      ...more,
    ])

  test('gets one entry after the other, readable by its owner alone, and never the token', async () => {
    const path = join(folder, 'tokens.json')
    const first = JSON.parse((await create('agent', '--json')).stdout)
    const second = JSON.parse((await create('other', '--agent-ids', 'a1 a2', '--expires-in', '90d', '--json')).stdout)
    const content = readFileSync(path, 'utf8')
    const entries = JSON.parse(content)
    expect(entries.map((entry: { id: string }) => entry.id)).toEqual(['agent', 'other'])
    expect(entries[1].agent_ids).toEqual(['a1', 'a2'])
    for (const { token, entry } of [first, second]) {
      expect(content).not.toContain(token)
      expect(entry.token_sha256).toBe(sha256Hex(token))
    }
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['tokens.json'])
  })

  test('is left as it is when the id is taken', async () => {
    await create('agent')
    const before = readFileSync(join(folder, 'tokens.json'), 'utf8')
    const { exitCode, stderr, stdout } = await create('agent')
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain('two entries have the id "agent"')
    expect(readFileSync(join(folder, 'tokens.json'), 'utf8')).toBe(before)
    expect(readdirSync(folder)).toEqual(['tokens.json'])
  })

  test('that is no JSON array is left alone, and the error does not quote it', async () => {
    writeFileSync(join(folder, 'tokens.json'), '{"secret-value"')
    const { exitCode, stderr } = await create('agent')
    expect(exitCode).toBe(2)
    expect(stderr).not.toContain('secret-value')
  })

  test('an empty file counts as new', () => {
    const { entry } = makeToken({ id: 'agent', scopes: ['query:execute'] }, BYTES)
    expect(JSON.parse(addEntry('  \n', entry))).toHaveLength(1)
  })
})
