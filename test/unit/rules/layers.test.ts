/** The import rules, each seen to fail on a planted violation. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../../..')

/** Where a file lies, what it imports, and whether that is allowed. */
const CASES: readonly (readonly [file: string, imported: string, isAllowed: boolean])[] = [
  ['lib/kernel/planted.ts', '#lib/gate/index.ts', false],
  ['lib/kernel/planted.ts', '#lib/ports/index.ts', false],
  ['lib/kernel/planted.ts', 'zod', false],
  ['lib/kernel/planted.ts', 'node:crypto', true],
  ['lib/ports/planted.ts', '#lib/gate/index.ts', false],
  ['lib/ports/planted.ts', 'pg', false],
  ['lib/ports/planted.ts', '#lib/kernel/index.ts', true],
  ['lib/gate/assess/planted.ts', '#lib/recovery/index.ts', false],
  ['lib/gate/assess/planted.ts', '#lib/adapters/postgres/index.ts', false],
  ['lib/gate/assess/planted.ts', '#lib/kernel/time.ts', false],
  ['lib/gate/assess/planted.ts', '../../kernel/time.ts', false],
  ['lib/gate/assess/planted.ts', 'pg', false],
  ['lib/gate/assess/planted.ts', '@aws-sdk/client-s3', false],
  ['lib/gate/assess/planted.ts', '../policy/index.ts', true],
  ['lib/gate/classify/planted.ts', 'libpg-query', true],
  ['lib/recovery/snapshot/planted.ts', '#lib/gate/index.ts', false],
  ['lib/recovery/snapshot/planted.ts', 'hyparquet-writer', false],
  ['lib/recovery/snapshot/planted.ts', 'libpg-query', false],
  ['lib/recovery/snapshot/planted.ts', '#lib/ports/index.ts', true],
  ['lib/adapters/postgres/planted.ts', '#lib/gate/index.ts', false],
  ['lib/adapters/postgres/planted.ts', '#lib/recovery/index.ts', false],
  ['lib/adapters/postgres/planted.ts', 'pg', true],
  ['lib/api/planted.ts', '#lib/gate/query/index.ts', false],
  ['lib/api/planted.ts', '#lib/adapters/embedded/index.ts', false],
  ['lib/api/planted.ts', 'pg', false],
  ['lib/api/planted.ts', '#lib/gate/index.ts', true],
  ['lib/runtime/planted.ts', '#lib/gate/policy/index.ts', false],
  ['lib/runtime/planted.ts', '#lib/adapters/embedded/index.ts', true],
  ['lib/cli/planted.ts', '#lib/recovery/restore/index.ts', false],
  ['lib/cli/planted.ts', '#lib/runtime/index.ts', true],
  ['lib/adapters/embedded/planted.ts', '@aws-sdk/client-s3', false],
  ['lib/adapters/webhook/planted.ts', '@aws-sdk/client-sns', false],
  ['lib/adapters/aws/planted.ts', '@aws-sdk/client-sqs', true],
  ['lib/runtime/planted.ts', '@aws-sdk/client-s3', false],
  ['lib/product/planted.ts', '#lib/adapters/embedded/index.ts', false],
  ['lib/product/planted.ts', 'pg', false],
  ['lib/product/planted.ts', '#lib/recovery/index.ts', true],
  ['lib/stacks/planted.ts', '#lib/gate/index.ts', false],
  ['lib/stacks/planted.ts', '@aws-sdk/client-s3', false],
  ['lib/stacks/planted.ts', 'aws-cdk-lib', true],
  ['lib/stacks/planted.ts', '#lib/api/index.ts', true],
  ['functions/query/execute/planted.ts', '#lib/adapters/embedded/index.ts', false],
  ['functions/query/execute/planted.ts', '#lib/runtime/index.ts', false],
  ['functions/query/execute/planted.ts', '@aws-sdk/client-s3', false],
  ['functions/query/execute/planted.ts', 'aws-cdk-lib', false],
  ['functions/query/execute/planted.ts', '#lib/adapters/aws/index.ts', true],
  ['functions/query/execute/planted.ts', '../../shared/index.ts', true],
]

let folder: string
let report: string
const fileOf = (index: number, file: string) => `${dirname(file)}/planted-${index}.ts`

/** All planted files are linted at once: one start of the linter. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'backstop-layers-'))
  cpSync(join(root, 'biome.json'), join(folder, 'biome.json'))
  for (const [index, [file, imported]] of CASES.entries()) {
    const path = join(folder, fileOf(index, file))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `import { planted } from '${imported}'\n\nplanted()\n`)
  }
  writeFileSync(join(folder, 'lib/gate/environment.ts'), "export const secret = process.env['SECRET']\n")
  report = lint()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function lint(): string {
  const args = ['lint', '--vcs-enabled=false', '--max-diagnostics=none', '--reporter=json', '.']
  try {
    return execFileSync(join(root, 'node_modules/.bin/biome'), args, {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

function rulesBrokenIn(file: string): readonly string[] {
  const parsed = JSON.parse(report) as {
    diagnostics: { category: string; location: { path: string | { file: string } } }[]
  }
  return parsed.diagnostics.filter((one) => JSON.stringify(one.location.path).includes(file)).map((one) => one.category)
}

describe('import rules', () => {
  it.each(CASES.map((row, index) => [index, ...row] as const))(
    '%i: %s importing %s is allowed: %s',
    (index, file, _imported, isAllowed) => {
      const broken = rulesBrokenIn(fileOf(index, file)).filter((rule) => rule === 'lint/style/noRestrictedImports')
      expect(broken.length > 0).toBe(!isAllowed)
    },
  )

  it('keeps the environment out of the parts', () => {
    expect(rulesBrokenIn('lib/gate/environment.ts')).toContain('lint/style/noProcessEnv')
  })

  it('covers every layer that there is', () => {
    const layers = CASES.map(([file]) => (file.startsWith('functions/') ? 'functions' : file.split('/')[1]))
    expect(new Set(layers).size).toBe(11)
  })
})
