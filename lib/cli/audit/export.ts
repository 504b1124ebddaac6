/** `backstop audit export`: the whole ledger as lines, each with the segment that proves it. */
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { exportLedger } from '#lib/gate/index.ts'
import { BackstopError, type Instant, instantFrom } from '#lib/kernel/index.ts'
import { choice, defineCommand, text } from '../frame/index.ts'
import { LEDGER_FLAGS, openLedger } from './open-ledger.ts'

export const auditExport = defineCommand({
  path: 'audit export',
  summary: 'Export the audit ledger as JSON lines or CSV',
  flags: {
    ...LEDGER_FLAGS,
    format: choice('--format <format>', 'form of the lines', ['jsonl', 'csv'] as const, 'jsonl'),
    from: text('--from <instant>', 'first instant, such as 2026-11-01T00:00:00Z'),
    to: text('--to <instant>', 'last instant'),
    output: text('--output <file>', 'write to this file instead of standard output'),
  },
  json: 'with --output: file, entries; else the lines themselves',
  examples: [
    {
      does: 'One month for an auditor',
      line: 'backstop audit export --data ./data --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z --format csv --output november.csv',
    },
  ],
  async run({ flags }, context) {
    const { format, output } = flags
    const range = { ...readInstant('from', flags.from), ...readInstant('to', flags.to) }
    const { records, objects, close } = await openLedger(flags, context)
    try {
      const lines = exportLedger({ records, objects }, { format, ...range })
      if (output !== undefined) {
        const entries = (await writeFile(output, lines)) - (format === 'csv' ? 1 : 0)
        return {
          ok: true,
          data: { file: output, entries },
          blocks: [{ kind: 'text', text: `${entries} entries in ${output}` }],
        }
      }
      for await (const line of lines) await context.write(line)
      return undefined
    } finally {
      await close()
    }
  },
})

function readInstant(
  name: 'from' | 'to',
  given: string | undefined,
): { readonly from?: Instant; readonly to?: Instant } {
  if (given === undefined) return {}
  const epochMs = Date.parse(given)
  if (!Number.isNaN(epochMs)) return { [name]: instantFrom(epochMs) }
  throw new BackstopError('USAGE_INVALID', `--${name} is an instant such as 2026-11-01T00:00:00Z`)
}

/** The file appears when it is complete. Returns the number of lines. */
async function writeFile(path: string, lines: AsyncIterable<string>): Promise<number> {
  const draft = `${path}.partial`
  let count = 0
  async function* counted() {
    for await (const line of lines) {
      count++
      yield line
    }
  }
  try {
    await pipeline(counted, createWriteStream(draft, { mode: 0o600, flush: true }))
    await rename(draft, path)
    return count
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
