import { expect, test } from 'vitest'
import { assertObjectKey } from '#lib/ports/index.ts'
import { encodeSegment, isManifestKey, manifestKey, partKey, tablePrefix } from '#lib/recovery/manifest/index.ts'
import { defaultTarget } from '#lib/recovery/restore/index.ts'

const ID = `snap_${'0123456789abcdef'.repeat(2)}`

test('a plain name stays readable', () => {
  expect(partKey({ schema: 'public', name: 'order_items' }, ID, { range: 12, number: 3, attempt: '00c0ffee' })).toBe(
    `snapshots/public/order_items/${ID}/part-00012-00003-00c0ffee.parquet`,
  )
  expect(manifestKey({ schema: 'public', name: 'users' }, ID)).toBe(`snapshots/public/users/${ID}/manifest.json`)
})

test.for([
  ['..', '%2E%2E'],
  ['a/b', 'a%2Fb'],
  ['a%2Fb', 'a%252Fb'],
  ['Größe', 'Gr%C3%B6%C3%9Fe'],
  ['tab\there', 'tab%09here'],
])('%s becomes a legal segment of its own', ([name, segment]) => {
  expect(encodeSegment(name as string)).toBe(segment)
  expect(() => assertObjectKey(`${tablePrefix({ schema: 's', name: name as string })}x`)).not.toThrow()
})

test('the longest identifiers fit into a key', () => {
  const longest = '/'.repeat(63)
  expect(() =>
    assertObjectKey(partKey({ schema: longest, name: longest }, ID, { range: 0, number: 0, attempt: '00000000' })),
  ).not.toThrow()
})

test('only a manifest is one', () => {
  expect(isManifestKey(`snapshots/public/t/${ID}/manifest.json`)).toBe(true)
  expect(isManifestKey(`snapshots/public/t/${ID}/part-00000-00000-00c0ffee.parquet`)).toBe(false)
  expect(isManifestKey('elsewhere/manifest.json')).toBe(false)
})

test('the target of a long name keeps to the limit of identifiers and stays apart from its neighbours', () => {
  expect(defaultTarget({ schema: 's', name: 'orders' })).toEqual({ schema: 's', name: 'orders_recovered' })
  const first = defaultTarget({ schema: 's', name: `${'ä'.repeat(31)}x` }).name
  const second = defaultTarget({ schema: 's', name: `${'ä'.repeat(31)}y` }).name
  expect(Buffer.byteLength(first)).toBeLessThanOrEqual(63)
  expect(first).not.toBe(second)
})
