/** pyarrow, installed into a folder of the project when it is not there yet, and asked for the values of Parquet files. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const VERSION = '26.0.1'
const HOME = fileURLToPath(new URL(`../../../.backstop/pyarrow-${VERSION}`, import.meta.url))
const STAMP = join(HOME, 'installed')

/** Files and the forms of their columns on standard input, on the output their types and values. */
const READ = `
import json, struct, sys
import pyarrow as pa
import pyarrow.parquet as pq

def texts(column, form):
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if form == "days":
        array = array.cast(pa.int32())
    if form == "micros":
        array = array.cast(pa.int64())
    return [None if value is None else text(value, form) for value in array.to_pylist()]

def text(value, form):
    if form == "bits":
        return struct.pack(">d", value).hex()
    if form == "truth":
        return str(value).lower()
    if form == "bytes":
        return value.hex()
    if isinstance(value, bytes) and len(value) == 16 and form == "text:uuid":
        h = value.hex()
        return "-".join([h[:8], h[8:12], h[12:16], h[16:20], h[20:]])
    if isinstance(value, bytes):
        return value.decode()
    if type(value).__name__ == "Decimal":
        return format(value, "f")
    return str(value)

order = json.load(sys.stdin)
table = pa.concat_tables([pq.read_table(path) for path in order["files"]]).sort_by("key")
meta = [pq.ParquetFile(path).metadata for path in order["files"]]
print(json.dumps({
    "version": pa.__version__,
    "types": {name: str(table.schema.field(name).type) for name in order["forms"]},
    "groups": [[one.row_group(i).num_rows for i in range(one.num_row_groups)] for one in meta],
    "nulls": {name: sum(one.row_group(i).column(one.schema.names.index(name)).statistics.null_count for one in meta for i in range(one.num_row_groups)) for name in order["forms"]},
    "values": {name: texts(table.column(name), form) for name, form in order["forms"].items()},
}))
`

export interface ArrowAnswer {
  readonly version: string
  readonly types: Readonly<Record<string, string>>
  /** Of each file, the rows of its groups. */
  readonly groups: readonly (readonly number[])[]
  /** As the statistics of the files say. */
  readonly nulls: Readonly<Record<string, number>>
  readonly values: Readonly<Record<string, readonly (string | null)[]>>
}

function run(program: string, args: readonly string[], input = ''): string {
  const done = spawnSync(program, args, { encoding: 'utf8', input, maxBuffer: 1 << 30 })
  if (done.status === 0) return done.stdout
  throw new Error(`${program} ${args[0]}: ${(done.stderr ?? String(done.error)).slice(-600)}`)
}

/** Throws with what is missing: these tests need python3 with venv, and the Python package index the first time. */
function python(): string {
  const program = join(HOME, 'bin', 'python')
  if (existsSync(STAMP)) return program
  mkdirSync(HOME, { recursive: true })
  run('python3', ['-m', 'venv', HOME])
  run(program, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `pyarrow==${VERSION}`])
  writeFileSync(STAMP, '')
  return program
}

/** Rows in the order of `key`. */
export function readWithArrow(files: readonly string[], forms: Readonly<Record<string, string>>): ArrowAnswer {
  return JSON.parse(run(python(), ['-c', READ], JSON.stringify({ files, forms }))) as ArrowAnswer
}
