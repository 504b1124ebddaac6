/** One part of the product: its rows of the function table, each with what starts it. */
import { Stack, type StackProps } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda'
import { Construct } from 'constructs'
import { connectQueue } from './constructs/queue-trigger.ts'
import { createScheduleDeadQueue, scheduleFunction } from './constructs/schedule.ts'
import { createFunctionMaker, FUNCTIONS, type FunctionMakerProps, type FunctionName } from './functions/index.ts'

export interface PartStackProps extends StackProps {
  readonly functions: FunctionMakerProps
  readonly messageKey: IKey
}

export class PartStack extends Stack {
  readonly deadName: string
  readonly #functions = new Map<FunctionName, Lambda>()

  constructor(scope: Construct, part: 'gate' | 'recovery', props: PartStackProps) {
    super(scope, part, props)
    const { environment } = props.functions
    const make = createFunctionMaker(props.functions)
    this.deadName = `backstop-${environment.name}-${part}-schedule-dead`
    const deadQueue = createScheduleDeadQueue(this, this.deadName, props.messageKey)
    for (const row of FUNCTIONS.filter(({ name }) => name.startsWith(`${part}.`))) {
      const place = new Construct(this, row.name.replace('.', '-'))
      const run = make(place, row)
      this.#functions.set(row.name, run)
      connectQueue(place, run, row, props.functions)
      scheduleFunction(place, environment, { row, run, deadQueue })
    }
  }

  /** Throws when the function belongs to another part. */
  get(name: FunctionName): Lambda {
    const found = this.#functions.get(name)
    if (found === undefined) throw new Error(`${name} is no function of ${this.node.id}. Ask the stack of its part.`)
    return found
  }

  get all(): ReadonlyMap<FunctionName, Lambda> {
    return this.#functions
  }
}
