/**
 * Start a program of this project on its pinned Node, installing the locked dependencies first when they are missing or old.
 *
 * Plain JavaScript for any Node from 18 on: it runs before anything is installed.
 *
 *   node bin/start.js bin/backstop.ts demo     a TypeScript entry point
 *   node bin/start.js vitest run               a tool from node_modules/.bin
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const stamp = join(modules, '.backstop-installed')

const EVERYTHING = 'everything'
const PRODUCT = 'product'

/** What is installed is known by the digest of the lockfile that it was installed from, and by how much of it was. */
function isInstalled(lockDigest, part) {
  if (!existsSync(stamp)) return false
  const [installedDigest, installedPart] = readFileSync(stamp, 'utf8').split(' ')
  return installedDigest === lockDigest && (installedPart === EVERYTHING || installedPart === part)
}

function install(lockDigest, part) {
  process.stderr.write('backstop: installing locked dependencies (npm ci) …\n')
  const npm = process.env.npm_execpath
  const [command, prefix] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []]
  const extent = part === PRODUCT ? ['--omit=dev'] : []
  const done = spawnSync(command, [...prefix, 'ci', ...extent, '--loglevel=error', '--no-progress'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (done.status !== 0) {
    process.stderr.write('backstop: npm ci failed. Fix: run "npm ci" in this folder and read what it says.\n')
    process.exit(done.status ?? 1)
  }
  writeFileSync(stamp, `${lockDigest} ${part}`)
}

const lockDigest = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')
const [target, ...args] = process.argv.slice(2)
// The product itself needs neither the tools that check it nor those that deploy it.
const part = target === 'bin/backstop.ts' ? PRODUCT : EVERYTHING
if (!isInstalled(lockDigest, part)) install(lockDigest, part)

if (target === undefined) process.exit(0)
const bin = join(modules, '.bin')
const isScript = target.endsWith('.ts')
// Buffers of a capture are freed with the young objects that hold them: with the preset of 16 MiB a table of ten million rows took 401 MiB
// at its peak, and takes 266. The gateway keeps the preset, for its latency.
const flags = part === PRODUCT && args[0] !== 'up' ? ['--max-semi-space-size=4'] : []
const child = spawn(join(bin, isScript ? 'node' : target), isScript ? [...flags, join(root, target), ...args] : args, {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` },
  shell: process.platform === 'win32',
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143)
})
