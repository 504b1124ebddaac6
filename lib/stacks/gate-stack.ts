/** The gate: its functions, and the API in front of them. */
import { CfnOutput } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import { createHttpApi } from './constructs/http-api.ts'
import { PartStack, type PartStackProps } from './part-stack.ts'

export class GateStack extends PartStack {
  readonly url: string

  constructor(scope: Construct, props: PartStackProps) {
    super(scope, 'gate', props)
    this.url = createHttpApi(this, props.functions.environment, {
      'gate.authorize': this.get('gate.authorize'),
      'gate.query': this.get('gate.query'),
      'gate.approve': this.get('gate.approve'),
      'gate.inspect': this.get('gate.inspect'),
      'gate.administer': this.get('gate.administer'),
    })
    new CfnOutput(this, 'ApiUrl', { value: this.url })
  }
}
