/** Bundle every function: one file with all that it needs and nothing else, and the parser's WebAssembly beside it. */
import { copyFile, glob, mkdir, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { deflateRawSync } from 'node:zlib'
import { build, type Metafile } from 'esbuild'

const root = dirname(import.meta.dirname)

export const BUNDLES = join(root, '.backstop', 'functions')

const WASM = 'node_modules/libpg-query/wasm/libpg-query.wasm'

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

async function bundle(path: string, folder: string, hasSourceMaps: boolean): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [path],
    outfile: join(folder, 'index.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    minify: true,
    keepNames: true,
    legalComments: 'none',
    sourcemap: hasSourceMaps ? 'linked' : false,
    banner: { js: BANNER },
    define: { BACKSTOP_BUILD_VERSION: JSON.stringify(await readVersion()) },
    external: ['pg-native', 'pg-cloudflare'],
    metafile: true,
    logLevel: 'warning',
  })
  return metafile
}

/** Files whose code is in the bundle; a file of which nothing was needed is not. */
function inputsOf(metafile: Metafile): readonly string[] {
  const outputs = Object.values(metafile.outputs)
  const inputs = outputs.flatMap((output) => Object.entries(output.inputs))
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

async function buildFunction(path: string, options: BuildOptions): Promise<Bundle> {
  const name = nameOf(path)
  const folder = join(options.folder ?? BUNDLES, name)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const inputs = inputsOf(await bundle(path, folder, options.hasSourceMaps ?? false))
  const files = [join(folder, 'index.mjs')]
  if (inputs.some((input) => input.includes('libpg-query'))) {
    files.push(join(folder, 'libpg-query.wasm'))
    await copyFile(join(root, WASM), files[1] as string)
  }
  return { name, folder, inputs, ...(await sizesOf(files)) }
}

/** Build them all, or some. Throws when there is none. */
export async function buildFunctions(options: BuildOptions = {}): Promise<readonly Bundle[]> {
  const handlers = (await findHandlers()).filter((path) => options.only?.includes(nameOf(path)) ?? true)
  if (handlers.length === 0) throw new Error('There is no function to build: functions/<part>/<verb>/handler.ts')
  const bundles: Bundle[] = []
  for (const path of handlers) bundles.push(await buildFunction(path, options))
  return bundles
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
  const shown = bundles.map(({ inputs, ...rest }) => ({ ...rest, inputCount: inputs.length }))
  process.stdout.write(values.json ? `${JSON.stringify(shown)}\n` : table(bundles))
}
