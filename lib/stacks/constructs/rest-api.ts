/** The route table → a REST API: for who needs a firewall in front, or an API that only their VPC can reach. */
import { Duration, type Stack } from 'aws-cdk-lib'
import {
  AccessLogFormat,
  AuthorizationType,
  EndpointType,
  type IResource,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  RequestAuthorizer,
  type RequestAuthorizerProps,
  RestApi,
  type RestApiProps,
} from 'aws-cdk-lib/aws-apigateway'
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager'
import { InterfaceVpcEndpoint } from 'aws-cdk-lib/aws-ec2'
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { ROUTES } from '#lib/api/index.ts'
import type { Environment } from '../config/index.ts'
import { accessLogFormat } from './access-log.ts'
import type { ApiFunctions, ApiMade } from './api-functions.ts'
import { createFirewall } from './firewall.ts'
import { removalOf } from './removal.ts'

const STAGE = 'live'

/** Only through the one endpoint; everybody else is refused before the authorizer is asked. */
function endpointOf(scope: Stack, { api }: Environment): Pick<RestApiProps, 'endpointConfiguration' | 'policy'> {
  if (api.vpcEndpointId === undefined) return { endpointConfiguration: { types: [EndpointType.REGIONAL] } }
  const endpoint = InterfaceVpcEndpoint.fromInterfaceVpcEndpointAttributes(scope, 'VpcEndpoint', {
    vpcEndpointId: api.vpcEndpointId,
    port: 443,
  })
  const statement = (effect: Effect, conditions?: object) =>
    new PolicyStatement({
      effect,
      principals: [new AnyPrincipal()],
      actions: ['execute-api:Invoke'],
      resources: ['execute-api:/*'],
      ...(conditions && { conditions }),
    })
  return {
    endpointConfiguration: { types: [EndpointType.PRIVATE], vpcEndpoints: [endpoint] },
    policy: new PolicyDocument({
      statements: [
        statement(Effect.ALLOW),
        statement(Effect.DENY, { StringNotEquals: { 'aws:SourceVpce': api.vpcEndpointId } }),
      ],
    }),
  }
}

function createApi(scope: Stack, environment: Environment): RestApi {
  const { api, name } = environment
  const logGroup = new LogGroup(scope, 'ApiLog', {
    logGroupName: `/aws/apigateway/backstop-${name}`,
    retention: environment.logKeepDays,
    removalPolicy: removalOf(environment),
  })
  return new RestApi(scope, 'Api', {
    restApiName: `backstop-${name}`,
    description: `Backstop ${name}`,
    cloudWatchRole: true,
    ...endpointOf(scope, environment),
    ...(api.domain !== undefined && {
      domainName: {
        domainName: api.domain.name,
        certificate: Certificate.fromCertificateArn(scope, 'Certificate', api.domain.certificateArn),
      },
    }),
    deployOptions: {
      stageName: STAGE,
      throttlingRateLimit: api.ratePerSecond,
      throttlingBurstLimit: api.burst,
      tracingEnabled: true,
      // Errors alone, and no data: bodies hold SQL.
      loggingLevel: MethodLoggingLevel.ERROR,
      dataTraceEnabled: false,
      accessLogDestination: new LogGroupLogDestination(logGroup),
      accessLogFormat: AccessLogFormat.custom(accessLogFormat('rest')),
    },
  })
}

/** No identity source and no cache, as at the HTTP API. */
function authorizerOf(scope: Stack, functions: ApiFunctions): RequestAuthorizer {
  const props: RequestAuthorizerProps = {
    handler: functions['gate.authorize'],
    identitySources: [],
    resultsCacheTtl: Duration.seconds(0),
  }
  return new RequestAuthorizer(scope, 'Authorizer', props)
}

export function createRestApi(scope: Stack, environment: Environment, functions: ApiFunctions): ApiMade {
  const api = createApi(scope, environment)
  const authorizer = authorizerOf(scope, functions)
  const protectedBy = { authorizer, authorizationType: AuthorizationType.CUSTOM }
  const open = { authorizationType: AuthorizationType.NONE }
  const resourceAt = (path: string): IResource => (path === '/' ? api.root : api.root.resourceForPath(path))
  for (const route of ROUTES) {
    resourceAt(route.path).addMethod(
      route.method,
      new LambdaIntegration(functions[route.servedBy], { allowTestInvoke: false }),
      route.access === 'open' ? open : protectedBy,
    )
  }
  api.root
    .addResource('{unknown+}')
    .addMethod('ANY', new LambdaIntegration(functions['gate.inspect'], { allowTestInvoke: false }), open)
  if (environment.api.firewall !== undefined && !environment.isEmulated) {
    createFirewall(scope, environment, environment.api.firewall.ratePerFiveMinutes, api.deploymentStage.stageArn)
  }
  return {
    url: api.url,
    metrics: {
      errors: '5XXError',
      requests: 'Count',
      latency: 'Latency',
      dimensions: { ApiName: `backstop-${environment.name}`, Stage: STAGE },
    },
  }
}
