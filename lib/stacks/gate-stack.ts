/** The gate: its functions, and the API in front of them. */
import { CfnOutput } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { ApiMade } from './constructs/api-functions.ts'
import { createHttpApi } from './constructs/http-api.ts'
import { createRestApi } from './constructs/rest-api.ts'
import { PartStack, type PartStackProps } from './part-stack.ts'

export class GateStack extends PartStack {
  readonly api: ApiMade

  constructor(scope: Construct, props: PartStackProps) {
    super(scope, 'gate', props)
    const { environment } = props.functions
    const createApi = environment.api.kind === 'http' ? createHttpApi : createRestApi
    this.api = createApi(this, environment, {
      'gate.authorize': this.get('gate.authorize'),
      'gate.query': this.get('gate.query'),
      'gate.approve': this.get('gate.approve'),
      'gate.inspect': this.get('gate.inspect'),
      'gate.administer': this.get('gate.administer'),
    })
    new CfnOutput(this, 'ApiUrl', { value: this.api.url })
  }
}
