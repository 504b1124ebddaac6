/** Runs a line of a page in a shell, with `backstop` of this tree on the path and stand-ins for what the machine lacks. */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runStep, type StepEnd } from './runbook.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const STAND_INS = ['curl', 'psql', 'jq', 'lsof'] as const

const isInstalled = (name: string) =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)))

function writeProgram(path: string, program: string): void {
  writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, program)}" "$@"\n`)
  chmodSync(path, 0o755)
}

export interface Shell {
  run(script: string, more?: Readonly<Record<string, string>>): Promise<StepEnd>
  /** The standard output of a script that ends well; throws with what it printed otherwise. */
  read(script: string, more?: Readonly<Record<string, string>>): Promise<string>
}

export function openShell(folder: string, environment: Readonly<Record<string, string>>): Shell {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeProgram(join(bin, 'backstop'), 'bin/backstop.ts')
  const missing = STAND_INS.filter((name) => !isInstalled(name))
  for (const name of missing) writeProgram(join(bin, name), `test/support/pages/${name}.ts`)
  if (missing.length > 0) console.log(`stand-ins for programs that are not installed here: ${missing.join(', ')}`)
  const run: Shell['run'] = (script, more = {}) => runStep(script, folder, bin, { ...environment, ...more })
  return {
    run,
    read: async (script, more) => {
      const { exitCode, stdout, stderr } = await run(script, more)
      if (exitCode !== 0) throw new Error(`exit ${exitCode} of ${script}\n${stdout}${stderr}`)
      return stdout
    },
  }
}
