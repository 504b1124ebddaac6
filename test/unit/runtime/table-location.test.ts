import { describe, expect, it } from 'vitest'
import { openMetadataFile } from '#lib/runtime/storage.ts'
import { parseTableLocation } from '#lib/runtime/table-location.ts'

describe('the location of a table', () => {
  it.each([
    ['dynamodb://backstop-prod', { table: 'backstop-prod' }],
    ['dynamodb://backstop-local@127.0.0.1:4566', { table: 'backstop-local', endpoint: 'http://127.0.0.1:4566' }],
    ['dynamodb://a.b_c@https://ddb.example.com', { table: 'a.b_c', endpoint: 'https://ddb.example.com' }],
  ])('reads %s', (location, expected) => {
    expect(parseTableLocation(location)).toEqual(expected)
  })

  it.each(['dynamodb://', 'dynamodb://a', 'dynamodb://two/parts', 'dynamodb://t?x=1', 'dynamodb:table'])(
    'refuses %s, and says the form',
    (location) => {
      expect(() => parseTableLocation(location)).toThrow('dynamodb://table[@endpoint]')
    },
  )

  it('refuses credentials in the endpoint without repeating them', () => {
    expect(() => parseTableLocation('dynamodb://table@https://key:secret@host')).toThrow(/credentials/)
    expect(() => parseTableLocation('dynamodb://table@https://key:secret@host')).not.toThrow(/secret@/)
  })

  it('is no place for the metadata of a product of one process', () => {
    expect(() => openMetadataFile('dynamodb://table')).toThrow('in a file')
  })
})
