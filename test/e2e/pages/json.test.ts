/** What docs/cli.md says of --json, held against the documents that the commands print. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { COMMANDS } from '#lib/cli/commands.ts'
import { runCliJson } from '#test/support/cli/run-cli.ts'
import { type Guarded, startGuarded, TOKENS } from '#test/support/pages/guarded.ts'

let product: Guarded
beforeAll(async () => {
  product = await startGuarded()
})
afterAll(() => product.stop())

/** `snapshots[], copyback (kind, …)` → its names. */
async function membersOf(path: string): Promise<readonly string[]> {
  const command = await COMMANDS.find((entry) => entry.path.join(' ') === path)?.load()
  const text = command?.json ?? ''
  const plain = text.replace(/^with --output: /, '').replaceAll(/ \([^)]*\)| as [^,]+|\[\]/g, '')
  const [names = ''] = plain.split(';')
  return ['ok', ...names.split(', ')].toSorted()
}

test('each command prints the members that its page names, and no other', async () => {
  const places = {
    BACKSTOP_DB_URL: product.db.url,
    BACKSTOP_STORAGE_URL: product.storage,
    BACKSTOP_METADATA_DB: product.metadataPath,
    BACKSTOP_URL: product.url,
    BACKSTOP_TOKEN: TOKENS.operator,
  }
  const [approve, deny] = [await product.query('DROP TABLE users'), await product.query('TRUNCATE users')]
  const cases: readonly (readonly [string, ...string[]])[] = [
    ['analyze', 'DELETE FROM users'],
    ['approvals list'],
    ['approvals show', approve.approval_id],
    ['approvals approve', approve.approval_id],
    ['approvals deny', deny.approval_id],
    ['snapshot', '--table', 'users'],
    ['snapshots list', '--table', 'users'],
    ['recover', '--table', 'users', '--dry-run'],
    ['audit verify'],
    ['audit export', '--output', join(product.folder.path, 'export.jsonl')],
    ['policy check'],
    ['token create', '--id', 'x', '--scopes', 'query:execute'],
  ]
  for (const [path, ...words] of cases) {
    const { exitCode, data } = await runCliJson([...path.split(' '), ...words], places)
    expect({ path, exitCode, members: Object.keys(data).toSorted() }).toEqual({
      path,
      exitCode: 0,
      members: await membersOf(path),
    })
  }
})
