import { describe, expect, it } from 'vitest'
import { buildContractTable, PORTS, type Report, renderContractTable } from '#test/support/contract-table-model.ts'

type Planted = readonly [suite: string, status: string, title?: string]

const report = (...planted: readonly Planted[]): Report => ({
  testResults: [
    {
      name: 'planted.test.ts',
      status: planted.some(([, status]) => status === 'failed') ? 'failed' : 'passed',
      assertionResults: planted.map(([suite, status, title]) => ({
        ancestorTitles: [suite, 'deeper'],
        title: title ?? 'does it',
        status,
      })),
    },
  ],
})

/** Every port with one case that both sides share. */
const whole = PORTS.map(({ title }): Planted => [`${title}: planted`, 'passed'])
const without = (port: string) => whole.filter(([suite]) => !suite.startsWith(port))
const problems = (embedded: Report, aws: Report) => buildContractTable({ embedded, aws }).problems

describe('the table of contracts', () => {
  it('is whole when every port has passed on both sides', () => {
    const table = buildContractTable({ embedded: report(...whole), aws: report(...whole) })
    expect(table.problems).toEqual([])
    expect(table.rows).toHaveLength(18)
    expect(PORTS.map(({ port }) => port)).toEqual([
      'RecordStore',
      'ObjectStore',
      'WorkQueue',
      'Notifier',
      'Secrets',
      'KeyRing',
      'Schedule',
      'Clock',
      'Random',
    ])
    expect(renderContractTable(table)).toContain('every port is kept on both sides: 18 cases passed')
  })

  it('counts the cases of each adapter', () => {
    const embedded = report(
      ...whole,
      ['work queue: planted', 'skipped'],
      ['work queue: other', 'passed'],
      ['misc', 'passed'],
    )
    const { rows } = buildContractTable({ embedded, aws: report(...whole) })
    expect(rows.filter((row) => row.port === 'WorkQueue')).toEqual([
      { port: 'WorkQueue', runtime: 'embedded', adapter: 'planted', cases: 2, passed: 1, failed: 0, skipped: 1 },
      { port: 'WorkQueue', runtime: 'embedded', adapter: 'other', cases: 1, passed: 1, failed: 0, skipped: 0 },
      { port: 'WorkQueue', runtime: 'aws', adapter: 'planted', cases: 1, passed: 1, failed: 0, skipped: 0 },
    ])
  })

  it.each(['record store', 'object store', 'work queue', 'notifier', 'secrets', 'key ring', 'schedule'])(
    'misses %s on either side',
    (port) => {
      const found = [
        ...problems(report(...whole), report(...without(port))),
        ...problems(report(...without(port)), report(...whole)),
      ]
      expect(found).toEqual([
        expect.stringContaining(`no case passed on the aws side, write a suite whose title begins with "${port}: "`),
        expect.stringContaining('no case passed on the embedded side'),
      ])
    },
  )

  it('takes the clock, which both runtimes share, from one side, and misses it when neither has it', () => {
    expect(problems(report(...whole), report(...without('clock')))).toEqual([])
    expect(problems(report(...without('clock')), report(...without('clock')))).toEqual([
      'Clock: no case passed on either side, write a suite whose title begins with "clock: "',
    ])
  })

  it('sees a case that failed', () => {
    const embedded = report(...whole, ['secrets: planted', 'failed'])
    expect(problems(embedded, report(...whole))).toEqual(['Secrets, planted: 1 failed'])
  })

  it('takes no case that was skipped for one that passed, and shows a suite that did not run', () => {
    const skipped = [...without('secrets'), ['secrets: planted', 'skipped'] as const]
    expect(problems(report(...whole), report(...skipped))).toEqual([
      'Secrets: no case passed on the aws side, write a suite whose title begins with "secrets: "',
    ])
    const table = buildContractTable({
      embedded: report(...whole),
      aws: report(...whole, ['secrets: elsewhere', 'skipped']),
    })
    expect(table.problems).toEqual([])
    expect(renderContractTable(table)).toContain('NOT RUN  Secrets, elsewhere: no case passed')
  })

  it('sees two sides that share no case', () => {
    const aws = report(...without('secrets'), ['secrets: planted', 'passed', 'does something else'])
    expect(problems(report(...whole), aws)).toEqual(['Secrets: its two sides share no case, run one suite over both'])
  })

  it('sees a file that could not be loaded', () => {
    const broken = {
      name: 'broken.test.ts',
      status: 'failed',
      message: 'SyntaxError: no\n  at x',
      assertionResults: [],
    }
    const aws = { testResults: [...report(...whole).testResults, broken] }
    expect(problems(report(...whole), aws)).toEqual(['broken.test.ts: SyntaxError: no'])
  })
})
