/** The classifier as it is bundled judges as it does from its source: a bundler drops what it believes to have no effect. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as esbuild from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BUNDLING, WASM } from '#functions/build.ts'
import { classify, loadClassifier } from '#lib/gate/index.ts'
import { readClassifyCases, readHostileCases, readLegitimateStatements } from '#test/support/corpus/corpus-files.ts'

let folder: string
let bundled: { classify: typeof classify }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backstop-classifier-'))
  await esbuild.build({
    ...BUNDLING,
    external: [...BUNDLING.external],
    mainFields: [...BUNDLING.mainFields],
    stdin: {
      contents: "export { classify, loadClassifier } from '#lib/gate/index.ts'",
      resolveDir: 'functions',
      loader: 'ts',
    },
    outfile: join(folder, 'index.mjs'),
  })
  await copyFile(WASM, join(folder, 'libpg-query.wasm'))
  const module = await import(pathToFileURL(join(folder, 'index.mjs')).href)
  await Promise.all([module.loadClassifier(), loadClassifier()])
  bundled = module
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

it('judges every statement of the corpora the same', () => {
  const cases = [...readClassifyCases().values(), ...readHostileCases().values()].flat()
  const statements = [
    ...cases.flatMap((written) => written.statements),
    ...readLegitimateStatements().map(({ sql }) => sql),
  ]
  expect(statements.length).toBeGreaterThan(1_000)
  const differing = statements.filter((sql) => JSON.stringify(bundled.classify(sql)) !== JSON.stringify(classify(sql)))
  expect(differing).toEqual([])
})
