/** Runs the CDK's command line against an emulator, and shows its own words when it fails. */
import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { STATE_FOLDER } from './state.ts'

const root = dirname(import.meta.dirname)

/** The emulator's own account; neither it nor the keys mean anything elsewhere. */
export const LOCAL_ACCOUNT = '000000000000'
export const LOCAL_REGION = 'us-east-1'

/** For every client that talks to the emulator; nothing of a real account on this machine leaks in. */
export function emulatorEnvironment(endpoint: string): Readonly<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: LOCAL_REGION,
    AWS_DEFAULT_REGION: LOCAL_REGION,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  }
}

function cdkEnvironment(endpoint: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_') && !name.startsWith('BACKSTOP_'))
  const modules = join(root, 'node_modules')
  return {
    ...Object.fromEntries(kept),
    ...emulatorEnvironment(endpoint),
    PATH: `${join(modules, '.bin')}:${process.env['PATH'] ?? ''}`,
    CDK_DEFAULT_ACCOUNT: LOCAL_ACCOUNT,
    CDK_DEFAULT_REGION: LOCAL_REGION,
    CDK_DISABLE_VERSION_CHECK: '1',
    CDK_DISABLE_CLI_TELEMETRY: '1',
  }
}

/** Throws with the last lines of the output when it does not exit with 0; the whole of it is kept in `cdk.log`. */
export async function runCdk(endpoint: string, args: readonly string[]): Promise<string> {
  await mkdir(STATE_FOLDER, { recursive: true })
  const child = spawn(join(root, 'node_modules', '.bin', 'cdk'), [...args, '--no-notices', '--ci'], {
    cwd: root,
    env: cdkEnvironment(endpoint),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
  const log = join(STATE_FOLDER, 'cdk.log')
  await writeFile(log, output)
  if (exitCode === 0) return output
  throw new Error(
    `cdk ${args[0]} failed (exit ${exitCode}). The end of its output, whole in ${log}:\n${output.slice(-3_000)}`,
  )
}
