/** `backstop audit verify`: proof that nothing in the ledger was changed, removed or reordered. */
import { systemClock } from '#lib/adapters/system/index.ts'
import type { LedgerAnchor, VerifyReport } from '#lib/gate/index.ts'
import { DEFAULT_RETENTION_DAYS, formatAnchor, parseAnchor, verifyLedger } from '#lib/gate/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { CommandResult } from '../frame/index.ts'
import { defineCommand, list } from '../frame/index.ts'
import type { Block } from '../terminal/index.ts'
import { LEDGER_FLAGS, openLedger } from './open-ledger.ts'

const MOST_SHOWN = 20

/** Sealed and unsealed entries are both checked; only sealed ones are linked to each other. */
const COUNTED: Readonly<Record<keyof VerifyReport['checked'], string>> = {
  segments: 'segments',
  entries: 'sealed entries',
  copies: 'copies compared',
  unsealed: 'entries not sealed yet',
  open: 'without an outcome',
  anchors: 'anchors compared',
}

export const auditVerify = defineCommand({
  path: 'audit verify',
  summary: 'Prove that nothing in the audit ledger was changed, removed or reordered',
  details:
    'An anchor is a head of the ledger that was kept elsewhere, as this command prints it. With one, a tail that was ' +
    'cut off shows as well. The gateway may go on running.',
  flags: { ...LEDGER_FLAGS, anchor: list('--anchor <number:sha256>', 'heads that were kept elsewhere') },
  json: 'checked, head, head_anchor, is_empty, problems[], skipped[]',
  examples: [
    {
      does: 'The ledger of a gateway',
      line: 'backstop audit verify --metadata-db /var/lib/backstop/backstop.db --storage file:///var/lib/backstop/storage',
    },
    { does: 'Against a head from last week', line: 'backstop audit verify --data ./data --anchor 812:9f86d0…' },
  ],
  async run({ flags }, context) {
    const anchors = (flags.anchor ?? []).map(readAnchor)
    const { records, objects, config, close } = await openLedger(flags, context)
    try {
      const { environment } = config
      const ports = { records, objects, clock: systemClock, environment, retentionDays: DEFAULT_RETENTION_DAYS }
      return showReport(await verifyLedger(ports, anchors))
    } finally {
      await close()
    }
  },
})

function readAnchor(given: string): LedgerAnchor {
  const anchor = parseAnchor(given)
  if (anchor !== undefined) return anchor
  throw new BackstopError('USAGE_INVALID', '--anchor is <number>:<64 hexadecimal digits>')
}

const EMPTY = 'The ledger is empty: nothing could be checked.'

/** Sealing is what links entries to each other. */
function verdictOf({ ok, checked }: VerifyReport): string {
  if (!ok) return 'The ledger is NOT intact.'
  if (checked.segments > 0) return 'The ledger is intact.'
  return `No problem in ${checked.unsealed} entries. None is sealed yet: until then, that one is missing would not show.`
}

/** A ledger without a single entry proves nothing. */
function showReport(report: VerifyReport): CommandResult {
  const { checked, problems, skipped } = report
  const isEmpty = checked.entries + checked.unsealed === 0
  const ok = report.ok && !isEmpty
  const headAnchor = report.head.number === 0 ? null : formatAnchor(report.head)
  const names = Object.keys(COUNTED) as (keyof typeof COUNTED)[]
  const counts = names.map((name) => [COUNTED[name], String(checked[name])] as const)
  const blocks: Block[] = [
    { kind: 'text', text: isEmpty ? EMPTY : verdictOf(report), tone: ok ? 'good' : 'bad' },
    { kind: 'pairs', pairs: [...counts, ['head', headAnchor ?? 'none: nothing is sealed yet']] },
  ]
  if (problems.length > 0) {
    const rows = problems.slice(0, MOST_SHOWN).map(({ code, subject, message }) => [code, subject, message])
    const columns = [{ title: 'problem' }, { title: 'where' }, { title: 'what' }]
    blocks.push(
      { kind: 'title', text: `Problems (${problems.length})` },
      { kind: 'table', columns, rows, whenEmpty: '' },
    )
  }
  if (skipped.length > 0) {
    const items = skipped.slice(0, MOST_SHOWN).map(({ subject, reason }) => `${subject}: ${reason}`)
    blocks.push({ kind: 'title', text: `Not checked (${skipped.length})` }, { kind: 'list', items })
  }
  return {
    ok,
    data: { checked, head: report.head, head_anchor: headAnchor, is_empty: isEmpty, problems, skipped },
    blocks,
  }
}
