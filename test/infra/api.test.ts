import { describe, expect, test } from 'vitest'
import { ROUTES } from '#lib/api/index.ts'
import { wordsOf } from './support/permissions.ts'
import { resourcesOf, SHAPES, stageOf } from './support/stages.ts'

const stages = Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, stageOf(shape)]))
const stageNamed = (name: string) => stages[name] ?? expect.fail(name)
const prod = stageNamed('prod').gate
const integrationTarget = (id: string) => id.replace(/^.*?(gate[a-z]+).*$/, '$1')

interface Served {
  readonly route: string
  readonly by: string
  readonly isProtected: boolean
}

function httpRoutesOf(name: string): readonly Served[] {
  const stack = stageNamed(name).gate
  const integrations = new Map(
    Object.entries(
      Object.fromEntries(
        resourcesOf(stack, 'AWS::ApiGatewayV2::Integration').map(({ Properties }) => [
          wordsOf(Properties.IntegrationUri),
          Properties,
        ]),
      ),
    ),
  )
  expect([...integrations.values()].every(({ PayloadFormatVersion }) => PayloadFormatVersion === '2.0')).toBe(true)
  return resourcesOf(stack, 'AWS::ApiGatewayV2::Route').map(({ Properties }) => ({
    route: Properties.RouteKey,
    by: integrationTarget(wordsOf(Properties.Target)),
    isProtected: Properties.AuthorizationType === 'CUSTOM' && Properties.AuthorizerId !== undefined,
  }))
}

/** Of the route table. */
const EXPECTED = ROUTES.map((route) => ({
  route: `${route.method} ${route.path}`,
  isProtected: route.access !== 'open',
}))

describe('the HTTP API', () => {
  test('has every route of the route table, with the authorizer unless it is open', () => {
    const served = httpRoutesOf('prod').filter(({ route }) => route !== '$default')
    expect(served.length).toBeGreaterThanOrEqual(18)
    expect(served.map(({ route, isProtected }) => ({ route, isProtected }))).toEqual(EXPECTED)
    expect(EXPECTED.filter(({ isProtected }) => !isProtected).map(({ route }) => route)).toEqual([
      'GET /health',
      'GET /openapi.json',
    ])
  })

  test('hands what no route names to the function that answers 404, and it alone has no authorizer besides the open ones', () => {
    const others = httpRoutesOf('prod').filter(({ route }) => !EXPECTED.some((one) => one.route === route))
    expect(others).toEqual([{ route: '$default', by: expect.any(String), isProtected: false }])
  })

  test('asks the authorizer about every request: no identity source, no cache, simple answers', () => {
    const [authorizer, ...more] = resourcesOf(prod, 'AWS::ApiGatewayV2::Authorizer')
    expect(more).toEqual([])
    expect(authorizer?.Properties).toMatchObject({
      AuthorizerType: 'REQUEST',
      AuthorizerPayloadFormatVersion: '2.0',
      EnableSimpleResponses: true,
      AuthorizerResultTtlInSeconds: 0,
    })
    expect(authorizer?.Properties.IdentitySource ?? []).toEqual([])
  })

  test('is throttled, and logs every request as JSON without headers, bodies and queries', () => {
    const [stage] = resourcesOf(prod, 'AWS::ApiGatewayV2::Stage')
    expect(stage?.Properties).toMatchObject({
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 500, ThrottlingBurstLimit: 1_000 },
    })
    expect(wordsOf(stage?.Properties.AccessLogSettings.DestinationArn)).toMatch(/^<ApiLog/)
    const format = JSON.parse(stage?.Properties.AccessLogSettings.Format)
    expect(Object.keys(format)).toContain('status')
    expect(JSON.stringify(format)).not.toMatch(/header|querystring|body|authorizer/i)
  })

  test('answers browsers of the origins that are named, by default of none', () => {
    const cors = (name: string) =>
      resourcesOf(stageNamed(name).gate, 'AWS::ApiGatewayV2::Api')[0]?.Properties.CorsConfiguration
    expect(cors('prod')).toBeUndefined()
    expect(cors('http-domain-cors')).toMatchObject({
      AllowOrigins: ['https://console.example.com'],
      AllowMethods: ['GET', 'POST'],
    })
    expect(cors('http-domain-cors').AllowCredentials).toBeUndefined()
  })

  test('has the domain that is asked for, over TLS 1.2', () => {
    const stack = stageNamed('http-domain-cors').gate
    expect(resourcesOf(stack, 'AWS::ApiGatewayV2::DomainName')[0]?.Properties).toMatchObject({
      DomainName: 'backstop.example.com',
      DomainNameConfigurations: [{ EndpointType: 'REGIONAL' }],
    })
    expect(resourcesOf(stack, 'AWS::ApiGatewayV2::ApiMapping')).toHaveLength(1)
    expect(resourcesOf(prod, 'AWS::ApiGatewayV2::DomainName')).toEqual([])
  })
})

describe.each(['rest-firewall', 'private'])('the REST API: %s', (name) => {
  const stack = stageNamed(name).gate

  test('has as many methods as there are routes, protected unless they are open', () => {
    const methods = resourcesOf(stack, 'AWS::ApiGateway::Method').map(({ Properties }) => Properties)
    expect(methods).toHaveLength(ROUTES.length + 1)
    const open = methods.filter(({ AuthorizationType }) => AuthorizationType === 'NONE')
    expect(open.map(({ HttpMethod }) => HttpMethod).sort()).toEqual(['ANY', 'GET', 'GET'])
    const protectedOnes = methods.filter(({ AuthorizationType }) => AuthorizationType === 'CUSTOM')
    expect(protectedOnes).toHaveLength(EXPECTED.filter(({ isProtected }) => isProtected).length)
    for (const { AuthorizerId } of protectedOnes) expect(AuthorizerId).toBeDefined()
  })

  test('has a resource for each segment of the paths', () => {
    const segments = resourcesOf(stack, 'AWS::ApiGateway::Resource').map(({ Properties }) => Properties.PathPart)
    const expected = new Set(ROUTES.flatMap(({ path }) => path.split('/').filter((segment) => segment !== '')))
    expect(new Set(segments)).toEqual(new Set([...expected, '{unknown+}']))
  })

  test('asks the authorizer about every request, is throttled and logs', () => {
    expect(resourcesOf(stack, 'AWS::ApiGateway::Authorizer')[0]?.Properties).toMatchObject({
      Type: 'REQUEST',
      AuthorizerResultTtlInSeconds: 0,
    })
    const stage = resourcesOf(stack, 'AWS::ApiGateway::Stage')[0]?.Properties
    expect(stage.MethodSettings[0]).toMatchObject({
      ThrottlingRateLimit: 500,
      ThrottlingBurstLimit: 1_000,
      LoggingLevel: 'ERROR',
      DataTraceEnabled: false,
    })
    expect(stage.AccessLogSetting.Format).toContain('$context.status')
  })
})

test('the firewall stands before the REST API, and reads no bodies: every one is SQL', () => {
  const stack = stageNamed('rest-firewall').gate
  const [acl] = resourcesOf(stack, 'AWS::WAFv2::WebACL')
  expect(acl?.Properties.Scope).toBe('REGIONAL')
  expect(acl?.Properties.Rules.map((rule: { Name: string }) => rule.Name)).toEqual([
    'flood',
    'AWSManagedRulesAmazonIpReputationList',
    'AWSManagedRulesKnownBadInputsRuleSet',
  ])
  expect(acl?.Properties.Rules[0].Statement.RateBasedStatement).toEqual({ AggregateKeyType: 'IP', Limit: 2_000 })
  expect(resourcesOf(stack, 'AWS::WAFv2::WebACLAssociation')).toHaveLength(1)
  expect(resourcesOf(prod, 'AWS::WAFv2::WebACL')).toEqual([])
})

test('a private API is for callers from its VPC endpoint alone', () => {
  const [api] = resourcesOf(stageNamed('private').gate, 'AWS::ApiGateway::RestApi')
  expect(api?.Properties.EndpointConfiguration).toMatchObject({
    Types: ['PRIVATE'],
    VpcEndpointIds: ['vpce-0123456789abcdef0'],
  })
  const denied = api?.Properties.Policy.Statement.filter(({ Effect }: { Effect: string }) => Effect === 'Deny')
  expect(denied).toHaveLength(1)
  expect(denied[0].Condition).toEqual({ StringNotEquals: { 'aws:SourceVpce': 'vpce-0123456789abcdef0' } })
})
