/** The route table → an HTTP API: one authorizer, throttled, every request in the access log. */
import { CfnOutput, Duration, type Stack } from 'aws-cdk-lib'
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway'
import {
  CorsHttpMethod,
  DomainName,
  HttpApi,
  HttpMethod,
  HttpRoute,
  HttpRouteKey,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2'
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers'
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { ROUTES } from '#lib/api/index.ts'
import type { Environment } from '../config/index.ts'
import { accessLogFormat } from './access-log.ts'
import type { ApiFunctions, ApiMade } from './api-functions.ts'
import { removalOf } from './removal.ts'

function corsOf({ api }: Environment) {
  if (api.corsOrigins.length === 0) return {}
  return {
    corsPreflight: {
      allowOrigins: api.corsOrigins,
      allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.POST],
      allowHeaders: ['authorization', 'content-type', 'x-backstop-token', 'x-correlation-id'],
      maxAge: Duration.hours(1),
    },
  }
}

function createStage(scope: Stack, httpApi: HttpApi, environment: Environment): HttpStage {
  const { api, name } = environment
  const logGroup = new LogGroup(scope, 'ApiLog', {
    logGroupName: `/aws/apigateway/backstop-${name}`,
    retention: environment.logKeepDays,
    removalPolicy: removalOf(environment),
  })
  const domain =
    api.domain &&
    new DomainName(scope, 'Domain', {
      domainName: api.domain.name,
      certificate: Certificate.fromCertificateArn(scope, 'Certificate', api.domain.certificateArn),
    })
  if (domain !== undefined) {
    new CfnOutput(scope, 'DomainTarget', { value: domain.regionalDomainName })
  }
  return new HttpStage(scope, 'Stage', {
    httpApi,
    stageName: '$default',
    autoDeploy: true,
    throttle: { rateLimit: api.ratePerSecond, burstLimit: api.burst },
    accessLogSettings: {
      destination: new LogGroupLogDestination(logGroup),
      format: AccessLogFormat.custom(accessLogFormat('http')),
    },
    ...(domain !== undefined && { domainMapping: { domainName: domain } }),
  })
}

/**
 * No identity source and no cache: the authorizer sees every request, and our own 401 and 403 reach the caller.
 * What no route names goes to `gate.inspect`, which answers 404 and 405 in our own words and nothing else.
 */
export function createHttpApi(scope: Stack, environment: Environment, functions: ApiFunctions): ApiMade {
  const httpApi = new HttpApi(scope, 'Api', {
    apiName: `backstop-${environment.name}`,
    description: `Backstop ${environment.name}`,
    createDefaultStage: false,
    ...corsOf(environment),
  })
  const authorizer = new HttpLambdaAuthorizer('Authorizer', functions['gate.authorize'], {
    authorizerName: 'tokens',
    responseTypes: [HttpLambdaResponseType.SIMPLE],
    identitySource: [],
    resultsCacheTtl: Duration.seconds(0),
  })
  const integrations = new Map<string, HttpLambdaIntegration>()
  const integrationOf = (name: keyof ApiFunctions) => {
    const known = integrations.get(name) ?? new HttpLambdaIntegration(name, functions[name])
    integrations.set(name, known)
    return known
  }
  for (const route of ROUTES) {
    new HttpRoute(scope, `Route-${route.name}`, {
      httpApi,
      routeKey: HttpRouteKey.with(route.path, HttpMethod[route.method]),
      integration: integrationOf(route.servedBy),
      ...(route.access !== 'open' && { authorizer }),
    })
  }
  new HttpRoute(scope, 'Route-none', {
    httpApi,
    routeKey: HttpRouteKey.DEFAULT,
    integration: integrationOf('gate.inspect'),
  })
  const stage = createStage(scope, httpApi, environment)
  return {
    url: stage.url,
    metrics: {
      errors: '5xx',
      requests: 'Count',
      latency: 'Latency',
      dimensions: { ApiId: httpApi.apiId, Stage: '$default' },
    },
  }
}
