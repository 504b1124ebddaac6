import { expect, test } from 'vitest'
import { patterns } from '#lib/cli/backup/flags.ts'

test('patterns are parted by commas outside of double quotes', () => {
  const flag = patterns('--exclude-table <patterns>', '')
  expect(flag.read('cache.*, logs,"Odd, Name".x,')).toEqual(['cache.*', 'logs', '"Odd, Name".x'])
  expect(flag.read(undefined)).toEqual([])
})
