import { describe, expect, it } from 'vitest'
import { parseS3Location } from '#lib/runtime/s3-location.ts'

describe('s3://', () => {
  it.each([
    ['s3://backups', { bucket: 'backups', prefix: '' }],
    ['s3://backups/', { bucket: 'backups', prefix: '' }],
    ['s3://backups/prod/eu', { bucket: 'backups', prefix: 'prod/eu' }],
    ['s3://backups@http://localhost:9000', { bucket: 'backups', prefix: '', endpoint: 'http://localhost:9000' }],
    ['s3://backups@https://minio.example', { bucket: 'backups', prefix: '', endpoint: 'https://minio.example' }],
    [
      's3://backups/prod@minio.example:9000',
      { bucket: 'backups', prefix: 'prod', endpoint: 'https://minio.example:9000' },
    ],
    ['s3://backups@localhost:9000', { bucket: 'backups', prefix: '', endpoint: 'http://localhost:9000' }],
    ['s3://backups@127.0.0.1:9000', { bucket: 'backups', prefix: '', endpoint: 'http://127.0.0.1:9000' }],
    ['s3://backups@[::1]:9000', { bucket: 'backups', prefix: '', endpoint: 'http://[::1]:9000' }],
    ['s3://backups@localhost.example', { bucket: 'backups', prefix: '', endpoint: 'https://localhost.example' }],
  ])('reads %s', (url, location) => {
    expect(parseS3Location(url)).toEqual(location)
  })

  it.each([
    's3:',
    's3:bucket',
    's3://',
    's3:///prefix',
    's3://@http://localhost:9000',
    's3://bucket@',
    's3://bucket?region=x',
    's3://bucket/p?x#y',
    's3://bucket@http://localhost:9000/path',
    's3://bucket@ftp://localhost',
    's3://bucket@http://',
    's3://bucket//x',
    's3://bucket/a/../b',
    's3://bucket/./a@http://localhost',
  ])('refuses %s', (url) => {
    expect(() => parseS3Location(url)).toThrow(expect.objectContaining({ code: 'STORAGE_URL_INVALID' }))
  })

  it.each([
    's3://AKIAKEYINURL:hidden-word@bucket',
    's3://bucket@http://AKIAKEYINURL:hidden-word@localhost:9000',
    's3://bucket@AKIAKEYINURL:hidden-word@localhost:9000',
  ])('refuses credentials in the URL, and does not repeat them (case %#)', (url) => {
    const refuse = () => parseS3Location(url)
    expect(refuse).toThrow(expect.objectContaining({ code: 'STORAGE_URL_INVALID' }))
    expect(refuse).toThrow(/^(?!.*(AKIA|hidden-word))/s)
    expect(refuse).toThrow('AWS_ACCESS_KEY_ID')
  })
})
