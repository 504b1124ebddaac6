/** `npm run bench -- [classify] [overhead] [recovery] [scale] [functions] [undo] [--json]`: each figure beside a peer in the same run. */
import { join, resolve } from 'node:path'
import { benchClassify } from './classify.ts'
import { benchFunctions } from './functions.ts'
import { benchOverhead } from './overhead.ts'
import { benchRecoveryReport } from './recovery.ts'
import { type BenchReport, renderReport } from './report.ts'
import { benchScale } from './scale.ts'
import { benchUndo } from './undo.ts'

const PEERS = join(resolve(import.meta.dirname, '../..'), '.backstop', 'peers')

const BENCHES: Readonly<Record<string, () => Promise<BenchReport>>> = {
  classify: benchClassify,
  overhead: () => benchOverhead(PEERS),
  recovery: benchRecoveryReport,
  scale: benchScale,
  functions: benchFunctions,
  undo: benchUndo,
}

const wanted = process.argv.slice(2).filter((word) => word !== '--json')
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
