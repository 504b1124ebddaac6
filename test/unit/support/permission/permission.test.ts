/** The evaluator of recorded calls finds what IAM would refuse. */
import { describe, expect, it } from 'vitest'
import { isAllowed } from '#test/support/cloud/permission/evaluate.ts'
import type { PolicyStatement, Wanted } from '#test/support/cloud/permission/model.ts'
import { readWanted, type WireRequest } from '#test/support/cloud/permission/read-wanted.ts'

const scope = (service: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=test/20261120/us-east-1/${service}/aws4_request, Signature=x`,
})
const s3 = (method: string, url: string, headers = {}): WireRequest => ({
  method,
  url,
  headers: { ...scope('s3'), ...headers },
  body: Buffer.alloc(0),
})
const json = (service: string, target: string, body: object): WireRequest => ({
  method: 'POST',
  url: '/',
  headers: { ...scope(service), 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.0' },
  body: Buffer.from(JSON.stringify(body)),
})
const of = (request: WireRequest) => readWanted(request).wanted.map(({ action, resource }) => [action, resource])

describe('what a request needs', () => {
  it.each([
    [s3('GET', '/b/snapshots/a%20b'), 's3:GetObject', 'arn:aws:s3:::b/snapshots/a b'],
    [s3('HEAD', '/b/k'), 's3:GetObject', 'arn:aws:s3:::b/k'],
    [s3('GET', '/b?list-type=2&prefix=x'), 's3:ListBucket', 'arn:aws:s3:::b'],
    [s3('PUT', '/b/k'), 's3:PutObject', 'arn:aws:s3:::b/k'],
    [s3('POST', '/b/k?uploads'), 's3:PutObject', 'arn:aws:s3:::b/k'],
    [s3('DELETE', '/b/k'), 's3:DeleteObject', 'arn:aws:s3:::b/k'],
    [s3('DELETE', '/b/k?uploadId=1'), 's3:AbortMultipartUpload', 'arn:aws:s3:::b/k'],
  ])('of S3: %#', (request, action, resource) => {
    expect(of(request)).toEqual([[action, resource]])
  })

  it('of an index is asked of the index', () => {
    const request = json('dynamodb', 'DynamoDB_20120810.Query', { TableName: 't', IndexName: 'index1' })
    expect(of(request)).toEqual([['dynamodb:Query', 'arn:aws:dynamodb:us-east-1:000000000000:table/t/index/index1']])
  })

  it('of a transaction is what its members need', () => {
    const TransactItems = [{ Put: { TableName: 't' } }, { ConditionCheck: { TableName: 't' } }]
    const actions = of(json('dynamodb', 'DynamoDB_20120810.TransactWriteItems', { TransactItems }))
    expect(actions.map(([action]) => action)).toEqual(['dynamodb:PutItem', 'dynamodb:ConditionCheckItem'])
  })

  it('is nothing that could be called allowed when the service is not known', () => {
    expect(readWanted(json('ec2', 'Something.Describe', {})).wanted).toEqual([])
  })
})

describe('what statements allow', () => {
  const allow = (Action: string, Resource: string, more: Partial<PolicyStatement> = {}): PolicyStatement => ({
    Effect: 'Allow',
    Action,
    Resource,
    ...more,
  })
  const put = (context: Wanted['context'] = {}): Wanted => ({ action: 's3:PutObject', resource: 'arn:b/x/1', context })

  it('is nothing without a statement, and nothing of another action or resource', () => {
    expect(isAllowed([], put())).toBe(false)
    expect(isAllowed([allow('s3:GetObject', 'arn:b/x/*')], put())).toBe(false)
    expect(isAllowed([allow('s3:PutObject', 'arn:b/y/*')], put())).toBe(false)
    expect(isAllowed([allow('s3:PutObject', 'arn:b/x/*')], put())).toBe(true)
  })

  it('is nothing that a Deny applies to: an object without If-None-Match', () => {
    const statements = [
      allow('s3:PutObject', 'arn:b/x/*'),
      allow('s3:PutObject', 'arn:b/x/*', {
        Effect: 'Deny',
        Condition: { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } },
      }),
    ]
    expect(isAllowed(statements, put({ 's3:ObjectCreationOperation': 'true' }))).toBe(false)
    expect(isAllowed(statements, put({ 's3:ObjectCreationOperation': 'true', 's3:if-none-match': '*' }))).toBe(true)
    expect(isAllowed(statements, put({ 's3:ObjectCreationOperation': 'false' }))).toBe(true)
  })

  it('is a listing of the prefix that the condition names, and of no other', () => {
    const list = (prefix?: string): Wanted => ({
      action: 's3:ListBucket',
      resource: 'arn:b',
      context: prefix === undefined ? {} : { 's3:prefix': prefix },
    })
    const own = [allow('s3:ListBucket', 'arn:b', { Condition: { StringLike: { 's3:prefix': 'snapshots/*' } } })]
    expect([isAllowed(own, list('snapshots/')), isAllowed(own, list('audit/')), isAllowed(own, list())]).toEqual([
      true,
      false,
      false,
    ])
  })

  it('is not guessed at where an operator is not known', () => {
    const odd = [allow('s3:PutObject', '*', { Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.1' } } })]
    expect(() => isAllowed(odd, put())).toThrow('IpAddress')
  })
})
