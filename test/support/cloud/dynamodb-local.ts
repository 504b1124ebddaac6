/** DynamoDB Local, AWS's own implementation in Java and the reference for what DynamoDB does; where Java and Maven are present. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from '#test/support/eventually.ts'
import { freePort } from '#test/support/free-port.ts'

const VERSION = '2.6.1'
const JAVA = 'java'
const MAIN = 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner'
const folder = join(resolve(import.meta.dirname, '../../..'), '.backstop', `dynamodb-local-${VERSION}`)
const run = promisify(execFile)

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>backstop</groupId><artifactId>dynamodb-local</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId><version>${VERSION}</version></dependency>
  </dependencies>
</project>
`

export interface DynamoLocal {
  readonly endpoint: string
  stop(): Promise<void>
}

/** Why it cannot run here; undefined when it can. Fetches it from Maven Central the first time. */
export async function whyNoDynamoLocal(): Promise<string | undefined> {
  for (const [program, flag] of [
    [JAVA, '-version'],
    ['mvn', '--version'],
  ] as const) {
    const isThere = await run(program, [flag]).then(
      () => true,
      () => false,
    )
    if (!isThere) return `${program} is not installed (Debian: apt-get install default-jre-headless maven)`
  }
  return install()
}

/** Written last, so that an interrupted download is done again. */
const isInstalled = () => existsSync(join(folder, 'complete'))

async function install(): Promise<string | undefined> {
  if (isInstalled()) return undefined
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'pom.xml'), POM)
  try {
    const goal = ['dependency:copy-dependencies', '-DoutputDirectory=lib', '-DincludeScope=runtime']
    await run('mvn', ['-B', '-q', ...goal], { cwd: folder, timeout: 300_000 })
  } catch (error) {
    return `Maven cannot fetch com.amazonaws:DynamoDBLocal:${VERSION} (${(error as Error).message.split('\n')[0]})`
  }
  await writeFile(join(folder, 'complete'), '')
  return undefined
}

export async function startDynamoLocal(): Promise<DynamoLocal> {
  const port = await freePort()
  const flags = ['-Djava.library.path=lib', '-cp', 'lib/*', MAIN, '-inMemory', '-disableTelemetry', '-port', `${port}`]
  const child = spawn(JAVA, flags, { cwd: folder, stdio: 'ignore' })
  const endpoint = `http://127.0.0.1:${port}`
  const answers = () =>
    fetch(endpoint).then(
      () => true,
      () => false,
    )
  await eventually(answers, { timeoutMs: 60_000 })
  return { endpoint, stop: () => end(child) }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((done) => child.once('exit', done))
  child.kill('SIGKILL')
  await ended
}
