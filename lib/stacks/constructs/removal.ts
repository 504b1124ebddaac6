/** What becomes of a resource that holds data when its stack is deleted. */
import { RemovalPolicy } from 'aws-cdk-lib'
import type { Environment } from '../config/index.ts'

export function removalOf(environment: Environment): RemovalPolicy {
  return environment.onDelete === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY
}
