/** What Lambda itself needs of a function's role: its log, its traces, and in a VPC its network interfaces. */
import type { Places } from './places.ts'
import type { Statement } from './statements.ts'

const INTERFACES = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
]

function interfaces(functionName: string, places: Places): readonly Statement[] {
  const own = `arn:${places.partition}:lambda:${places.region}:${places.account}:function:${functionName}`
  return [
    {
      sid: 'NetworkInterfaces',
      actions: INTERFACES,
      resources: ['*'],
      reason:
        'Lambda makes network interfaces whose ids are not known before; EC2 lets none of these be narrowed here.',
    },
    {
      sid: 'NetworkInterfacesNotByCode',
      effect: 'Deny',
      actions: INTERFACES,
      resources: ['*'],
      conditions: { ArnEquals: { 'lambda:SourceFunctionArn': own } },
      reason: 'Takes away from the code of the function what Lambda alone needs.',
    },
  ]
}

export function platformStatements(
  functionName: string,
  logGroupArn: string,
  places: Places,
  isInVpc: boolean,
): readonly Statement[] {
  return [
    {
      sid: 'Log',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroupArn],
      reason: 'The streams of one log group: Lambda names them.',
    },
    {
      sid: 'Trace',
      actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
      resources: ['*'],
      reason: 'X-Ray knows no resources for segments.',
    },
    ...(isInVpc ? interfaces(functionName, places) : []),
  ]
}
