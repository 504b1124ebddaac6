/**
 * `npm run bench -- [classify] [overhead] [recovery] [scale] [functions] [undo] [beside] [--json] [--rows=1000000,…] [--rounds=5]`: each figure
 * beside a peer in the same run. Rows and rounds are those of the tables of `recovery` and `beside`.
 * `--shapes=wide --peers=pg_dump,copy,duckdb` choose among those of `recovery`.
 */
import { join, resolve } from 'node:path'
import { benchBeside } from './beside.ts'
import { benchClassify } from './classify.ts'
import { benchFunctions } from './functions.ts'
import { benchOverhead } from './overhead.ts'
import { benchRecovery, PEER_NAMES, SHAPE_NAMES } from './recovery/index.ts'
import { type BenchReport, renderReport } from './report.ts'
import { benchScale } from './scale.ts'
import { benchUndo } from './undo.ts'

const PEERS = join(resolve(import.meta.dirname, '../..'), '.backstop', 'peers')

const BENCHES: Readonly<Record<string, () => Promise<BenchReport>>> = {
  classify: benchClassify,
  overhead: () => benchOverhead(PEERS),
  recovery: () => benchRecovery(PEERS, { ...recoveryOptions(), ...recoveryNarrowing() }),
  scale: benchScale,
  functions: benchFunctions,
  undo: benchUndo,
  beside: () => benchBeside(besideOptions()),
}

const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const isJson = process.argv.includes('--json')
const unknown = wanted.filter((name) => !(name in BENCHES))
if (unknown.length > 0) {
  process.stderr.write(`Unknown benchmark: ${unknown.join(', ')}. There are: ${Object.keys(BENCHES).join(', ')}.\n`)
  process.exit(2)
}
for (const [name, run] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const report = await run()
  process.stdout.write(`${isJson ? JSON.stringify(report) : renderReport(report)}\n`)
}

function recoveryOptions() {
  const numbers = (flag: string) => {
    const word = process.argv.find((one) => one.startsWith(`--${flag}=`))
    return word
      ?.slice(flag.length + 3)
      .split(',')
      .map(Number)
  }
  const [rounds] = numbers('rounds') ?? []
  const rowCounts = numbers('rows')
  return { ...(rounds === undefined ? {} : { rounds }), ...(rowCounts === undefined ? {} : { rowCounts }) }
}

/** `--shapes=wide` and `--peers=pg_dump` measure less of it, and sooner. */
function recoveryNarrowing() {
  const chosen = <Name extends string>(flag: string, known: readonly Name[]): readonly Name[] => {
    const word = process.argv.find((one) => one.startsWith(`--${flag}=`))?.slice(flag.length + 3)
    const names: readonly string[] = word?.split(',') ?? known
    const stranger = names.find((name) => !known.some((one) => one === name))
    if (stranger === undefined) return known.filter((name) => names.includes(name))
    process.stderr.write(`Unknown in --${flag}: ${stranger}. There are: ${known.join(', ')}.\n`)
    process.exit(2)
  }
  return { shapes: chosen('shapes', SHAPE_NAMES), peers: chosen('peers', PEER_NAMES) }
}

function besideOptions() {
  const { rounds, rowCounts } = recoveryOptions()
  const [rowCount] = rowCounts ?? []
  return { ...(rounds === undefined ? {} : { rounds }), ...(rowCount === undefined ? {} : { rowCount }) }
}
