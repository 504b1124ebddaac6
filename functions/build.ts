/** Bundle every function: one file with all that it needs and nothing else, and the parser's WebAssembly beside it. */
import { copyFile, glob, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { deflateRawSync } from 'node:zlib'
import * as esbuild from 'esbuild'

const root = dirname(import.meta.dirname)

export const BUNDLES = join(root, '.backstop', 'functions')

export const WASM = 'node_modules/libpg-query/wasm/libpg-query.wasm'

/** CommonJS inside an ES module: what such code expects to be there. */
const BANNER = [
  "import{createRequire as __cr}from'node:module';",
  "import{fileURLToPath as __fp}from'node:url';",
  "import{dirname as __dn}from'node:path';",
  'const require=__cr(import.meta.url);const __filename=__fp(import.meta.url);const __dirname=__dn(__filename);',
].join('')

export interface Bundle {
  /** `gate-query`. */
  readonly name: string
  readonly folder: string
  readonly sizeBytes: number
  /** What the archive will have, to within a few bytes of headers. */
  readonly zippedBytes: number
  /** Every file that is in it, from the project's root. */
  readonly inputs: readonly string[]
}

export interface BuildOptions {
  /** Default: `.backstop/functions`. */
  readonly folder?: string
  /** Beside each bundle, for stack traces; default false. */
  readonly hasSourceMaps?: boolean
  /** Such as `gate-query`; default: all. */
  readonly only?: readonly string[]
}

/** `functions/gate/query/handler.ts` → `gate-query`. */
function nameOf(path: string): string {
  return relative('functions', dirname(path)).split(sep).join('-')
}

async function findHandlers(): Promise<readonly string[]> {
  const paths: string[] = []
  for await (const path of glob('functions/*/*/handler.ts', { cwd: root })) paths.push(path)
  return paths.sort()
}

async function readVersion(): Promise<string> {
  return (JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }).version
}

/** How a function is bundled. */
export const BUNDLING = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  minify: true,
  keepNames: true,
  legalComments: 'none',
  banner: { js: BANNER },
  external: ['pg-native', 'pg-cloudflare'],
  // A warning may be an import that is dropped although it was for its effect.
  logLevel: 'silent',
} as const satisfies esbuild.BuildOptions

/** All at once: what they share is read once. */
async function bundle(handlers: readonly string[], folder: string, hasSourceMaps: boolean): Promise<esbuild.Metafile> {
  const { metafile, warnings } = await esbuild.build({
    ...BUNDLING,
    external: [...BUNDLING.external],
    mainFields: [...BUNDLING.mainFields],
    entryPoints: handlers.map((path) => ({ in: path, out: `${nameOf(path)}/index` })),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    sourcemap: hasSourceMaps ? 'linked' : false,
    define: { BACKSTOP_BUILD_VERSION: JSON.stringify(await readVersion()) },
    metafile: true,
  })
  const [warning] = warnings
  if (warning !== undefined) throw new Error(`${warning.text} (${warning.location?.file ?? 'nowhere'})`)
  return metafile
}

/**
 * Programs of containers: `functions/<part>/<verb>/task.ts` → `<part>-<verb>-task/index.mjs`.
 *
 * Throws when there is none.
 */
export async function buildTasks(folder = BUNDLES): Promise<readonly string[]> {
  const names: string[] = []
  for await (const path of glob('functions/*/*/task.ts', { cwd: root })) {
    const name = `${nameOf(path)}-task`
    names.push(name)
    await esbuild.build({
      ...BUNDLING,
      external: [...BUNDLING.external],
      mainFields: [...BUNDLING.mainFields],
      entryPoints: [path],
      outfile: join(folder, name, 'index.mjs'),
      define: { BACKSTOP_BUILD_VERSION: JSON.stringify(await readVersion()) },
    })
  }
  if (names.length === 0) throw new Error('There is no task to build: functions/<part>/<verb>/task.ts')
  return names
}

/** Files whose code is in the bundle of a handler; a file of which nothing was needed is not. */
function inputsOf({ outputs }: esbuild.Metafile, handler: string): readonly string[] {
  const output = Object.values(outputs).find(({ entryPoint }) => entryPoint === handler)
  const inputs = Object.entries(output?.inputs ?? {})
  return inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path)
}

async function sizesOf(files: readonly string[]): Promise<Pick<Bundle, 'sizeBytes' | 'zippedBytes'>> {
  let sizeBytes = 0
  let zippedBytes = 0
  for (const file of files) {
    sizeBytes += (await stat(file)).size
    zippedBytes += deflateRawSync(await readFile(file), { level: 9 }).byteLength
  }
  return { sizeBytes, zippedBytes }
}

async function describe(path: string, parent: string, inputs: readonly string[]): Promise<Bundle> {
  const name = nameOf(path)
  const folder = join(parent, name)
  const files = [join(folder, 'index.mjs')]
  if (inputs.some((input) => input.includes('libpg-query'))) {
    files.push(join(folder, 'libpg-query.wasm'))
    await copyFile(join(root, WASM), files[1] as string)
  }
  return { name, folder, inputs, ...(await sizesOf(files)) }
}

/** Build them all, or some. Throws when there is none, and when a bundler would leave something out. */
export async function buildFunctions(options: BuildOptions = {}): Promise<readonly Bundle[]> {
  const { folder = BUNDLES, hasSourceMaps = false } = options
  const handlers = (await findHandlers()).filter((path) => options.only?.includes(nameOf(path)) ?? true)
  if (handlers.length === 0) throw new Error('There is no function to build: functions/<part>/<verb>/handler.ts')
  for (const path of handlers) await rm(join(folder, nameOf(path)), { recursive: true, force: true })
  const metafile = await bundle(handlers, folder, hasSourceMaps)
  return Promise.all(handlers.map((path) => describe(path, folder, inputsOf(metafile, path))))
}

function kib(bytes: number): string {
  return (bytes / 1_024).toFixed(0).padStart(7)
}

function table(bundles: readonly Bundle[]): string {
  const rows = bundles.map(
    ({ name, sizeBytes, zippedBytes }) => `${name.padEnd(20)} ${kib(sizeBytes)} KiB ${kib(zippedBytes)} KiB zipped`,
  )
  return `${rows.join('\n')}\n`
}

if (process.argv[1] === import.meta.filename) {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'boolean' }, 'source-maps': { type: 'boolean' } },
    allowPositionals: true,
  })
  const bundles = await buildFunctions({
    hasSourceMaps: values['source-maps'] ?? false,
    ...(positionals.length === 0 ? {} : { only: positionals }),
  })
  if (positionals.length === 0) await buildTasks()
  const shown = bundles.map(({ inputs, ...rest }) => ({ ...rest, inputCount: inputs.length }))
  process.stdout.write(values.json ? `${JSON.stringify(shown)}\n` : table(bundles))
}
