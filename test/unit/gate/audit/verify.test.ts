import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OpenAuditLedger } from '#lib/gate/audit/index.ts'
import { formatAnchor, parseAnchor } from '#lib/gate/audit/index.ts'
import type { JsonObject, Sha256Hex } from '#lib/kernel/index.ts'
import { sha256Hex } from '#lib/kernel/index.ts'
import type { RecordInput, StoredRecord } from '#lib/ports/index.ts'
import type { LedgerBench } from '#test/support/audit/ledger-bench.ts'
import { codesOf, openLedgerBench, statement } from '#test/support/audit/ledger-bench.ts'

let bench: LedgerBench
let ledger: OpenAuditLedger
let firstId: string

/** Four segments of eight entries each, and two entries that are not sealed. */
beforeEach(async () => {
  bench = await openLedgerBench()
  ledger = bench.open()
  for (let segment = 0; segment < 4; segment++) {
    for (let n = 0; n < 4; n++) {
      const id = await ledger.begin(statement(`SELECT ${segment}${n}`))
      if (segment === 0 && n === 0) firstId = id
      bench.clock.advance(10)
      await ledger.finish(id, { outcome: 'executed', rowCount: n })
    }
    await ledger.sealDue()
    bench.clock.advance(60_000)
  }
  await ledger.finish(await ledger.begin(statement('SELECT unsealed')), { outcome: 'executed' })
})
afterEach(() => bench.close())

const edit = async (number: number, change: (text: string) => string) => {
  const path = bench.segmentPath(number)
  const text = await readFile(path, 'utf8')
  const edited = change(text)
  expect(edited).not.toBe(text)
  await writeFile(path, edited)
}

/** What somebody with full access to both stores would do: rewrite everything after the edit so that it fits again. */
const relink = async (from: number) => {
  let previous = sha256Hex(await readFile(bench.segmentPath(from)))
  for (let number = from + 1; number <= 4; number++) {
    await edit(number, (text) => text.replace(/"previousSha256":"[0-9a-f]{64}"/, `"previousSha256":"${previous}"`))
    previous = sha256Hex(await readFile(bench.segmentPath(number)))
  }
  return previous
}

const rewriteRecord = async (partition: string, sort: string, change: (record: StoredRecord) => RecordInput) => {
  const record = (await bench.records.find({ partition, sort })) as StoredRecord
  await bench.records.write({ kind: 'replace', record: change(record), expectedVersion: record.version })
}

const deleteRecord = async (partition: string, sort: string) => {
  const record = (await bench.records.find({ partition, sort })) as StoredRecord
  await bench.records.write({ kind: 'delete', key: record.key, expectedVersion: record.version })
}

const setHead = (change: JsonObject) =>
  rewriteRecord('audit-head', 'head', (record) => ({ ...record, body: { ...record.body, ...change } }))

describe('verifying', () => {
  it('finds nothing wrong with what nobody touched, and says what it looked at', async () => {
    const report = await bench.verify(bench.anchored)
    expect(report).toMatchObject({ ok: true, problems: [], skipped: [] })
    expect(report.checked).toEqual({ segments: 4, entries: 32, copies: 32, unsealed: 2, open: 0, anchors: 4 })
  })

  it('finds nothing wrong with a ledger that has no entry', async () => {
    const empty = await openLedgerBench()
    expect(await empty.verify()).toMatchObject({ ok: true, checked: { segments: 0, entries: 0 } })
    await empty.close()
  })

  const tampering: readonly (readonly [string, () => Promise<unknown>, readonly string[]])[] = [
    [
      'an edited query',
      () => edit(2, (text) => text.replace('SELECT 11', 'SELECT 99')),
      ['entry-differs', 'link-broken'],
    ],
    ['an edited header', () => edit(2, (text) => text.replace('"count":8', '"count":7')), ['segment-malformed']],
    [
      'an edited sealing time',
      () => edit(4, (text) => text.replace(/"sealedAt":"2027/, '"sealedAt":"2026')),
      ['head-differs'],
    ],
    ['white space that changes no value', () => edit(1, (text) => text.replace('{"', '{ "')), ['segment-malformed']],
    ['a removed last line', () => edit(3, (text) => text.replace(/\n[^\n]+\n$/, '\n')), ['segment-malformed']],
    ['a missing final line end', () => edit(3, (text) => text.slice(0, -1)), ['segment-malformed']],
    [
      'two entries in the other order',
      () => edit(3, (text) => text.replace(/\n([^\n]+)\n([^\n]+)\n$/, '\n$2\n$1\n')),
      ['segment-malformed'],
    ],
    ['a removed segment in the middle', () => rm(bench.segmentPath(2)), ['segment-missing']],
    ['a removed last segment', () => rm(bench.segmentPath(4)), ['entry-not-sealed', 'segment-missing']],
    [
      'two swapped segments',
      async () => {
        await rename(bench.segmentPath(2), `${bench.folder}/kept`)
        await rename(bench.segmentPath(3), bench.segmentPath(2))
        await rename(`${bench.folder}/kept`, bench.segmentPath(3))
      },
      ['link-broken'],
    ],
    [
      'a copy of a segment at the end',
      async () => writeFile(bench.segmentPath(5), await readFile(bench.segmentPath(4))),
      ['entry-duplicate', 'link-broken'],
    ],
    ['a foreign file among the segments', () => writeFile(`${bench.segmentPath(4)}.bak`, 'x'), ['segment-unexpected']],
    ['a head that is gone', () => deleteRecord('audit-head', 'head'), ['head-missing']],
    ['a head that was set back', () => setHead({ number: 2 }), ['head-behind', 'head-differs']],
    ['a head that counts otherwise', () => setHead({ entryCount: 31 }), ['head-differs']],
    ['a head that is ahead of the segments', () => setHead({ number: 9 }), ['segment-missing']],
    ['an entry that is gone from the store', () => deleteRecord(`audit#${firstId}`, 'result'), ['entry-lost']],
    [
      'an entry that was changed in the store',
      () =>
        rewriteRecord(`audit#${firstId}`, 'intent', (record) => {
          const entry = record.body['entry'] as JsonObject
          return { ...record, body: { ...record.body, entry: { ...entry, at: '2027-01-15T08:00:00.001Z' } } }
        }),
      ['entry-differs'],
    ],
    [
      'an entry that would be sealed again',
      () =>
        rewriteRecord(`audit#${firstId}`, 'intent', (record) => ({
          ...record,
          body: { entry: record.body['entry'] as JsonObject },
        })),
      ['entry-unmarked'],
    ],
  ]

  it.each(tampering)('finds %s', async (_, tamper, codes) => {
    await tamper()
    const report = await bench.verify()
    expect(report.ok).toBe(false)
    for (const code of codes) expect(codesOf(report)).toContain(code)
  })

  it('finds a forged entry even when everything after it was linked anew, by the store and by an anchor', async () => {
    const anchor = bench.anchored.at(-1) as { number: number; sha256: Sha256Hex }
    await edit(2, (text) => text.replace('SELECT 11', 'SELECT 99'))
    await setHead({ sha256: await relink(2) })
    expect(codesOf(await bench.verify())).toEqual(['entry-differs'])
    bench.clock.advance(91 * 86_400_000)
    expect(codesOf(await bench.verify())).toEqual([])
    expect(codesOf(await bench.verify([anchor]))).toEqual(['anchor-differs'])
  })

  it('finds a tail that was cut off together with its head, by the store and by an anchor', async () => {
    const [, , third, fourth] = bench.anchored
    await rm(bench.segmentPath(4))
    await setHead({ ...(third as object) } as JsonObject)
    expect(codesOf(await bench.verify())).toEqual(['entry-not-sealed'])
    bench.clock.advance(91 * 86_400_000)
    expect(codesOf(await bench.verify([fourth as never]))).toEqual(['anchor-differs'])
  })

  it('finds a result whose intent is nowhere', async () => {
    const id = 'aud_00000000000000000000000000000abc'
    const entry = {
      kind: 'result',
      id,
      at: '2027-01-15T08:00:00.000Z',
      environment: 'test',
      result: { outcome: 'executed' },
    }
    await bench.records.write({
      kind: 'create',
      record: {
        key: { partition: `audit#${id}`, sort: 'result' },
        body: { entry },
        indexes: { index2: { partition: 'audit-unsealed#0', sort: `${entry.at}#${id}#result` } },
      },
    })
    expect(codesOf(await bench.verify())).toEqual(['result-without-intent'])
  })

  it('finds a ledger of another environment', async () => {
    const { verifyLedger } = await import('#lib/gate/audit/index.ts')
    const report = await verifyLedger({ ...bench, environment: 'production', retentionDays: 90 })
    expect(codesOf(report)).toEqual(['environment-differs'])
  })

  it('raises no alarm while others write and seal', async () => {
    let isOver = false
    const writing = Promise.all(
      Array.from({ length: 4 }, async (_, writer) => {
        const own = bench.open()
        for (let n = 0; !isOver; n++) {
          const id = await own.begin(statement(`SELECT ${n}`))
          if (n % 7 !== 0) await own.finish(id, { outcome: 'executed' })
          if (n % 20 === writer) await own.sealDue()
          await new Promise((resolve) => setImmediate(resolve))
        }
      }),
    )
    for (let round = 0; round < 10; round++) expect((await bench.verify()).problems).toEqual([])
    isOver = true
    await writing
  })
})

describe('an anchor', () => {
  it('is written as number and digest, and read back', () => {
    const anchor = { number: 12, sha256: 'a'.repeat(64) as Sha256Hex }
    expect(formatAnchor(anchor)).toBe(`12:${'a'.repeat(64)}`)
    expect(parseAnchor(` ${formatAnchor(anchor)}\n`)).toEqual(anchor)
    for (const text of ['', '12', '0:ab', `0:${'a'.repeat(64)}`, `12:${'a'.repeat(63)}`, `-1:${'a'.repeat(64)}`]) {
      expect(parseAnchor(text)).toBeUndefined()
    }
  })
})
