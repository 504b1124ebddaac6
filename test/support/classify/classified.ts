/** Classify in tests: the statement, or a failure that says why the text was refused. */

import type { ClassifiedStatement, RefusedText } from '#lib/gate/classify/index.ts'
import { classify } from '#lib/gate/classify/index.ts'

export function classified(sql: string): ClassifiedStatement {
  const classification = classify(sql)
  if (!classification.ok) throw new Error(`refused as ${classification.code}: ${sql.slice(0, 120)}`)
  return classification
}

export function refused(sql: string): RefusedText {
  const classification = classify(sql)
  if (classification.ok) throw new Error(`not refused but ${classification.level}: ${sql.slice(0, 120)}`)
  return classification
}

/** `delete public.orders all`, one line a target. */
export function targetLines(sql: string): string[] {
  return classified(sql).targets.map(({ access, object, scope }) => {
    const name = object.schema === undefined ? object.name : `${object.schema}.${object.name}`
    return scope === 'not-applicable' ? `${access} ${name}` : `${access} ${name} ${scope}`
  })
}

/** `read orders.email`, `write orders.*`, `read ?.email` where the relation is open. */
export function columnLines(sql: string): string[] {
  return classified(sql)
    .columns.map(({ access, relation, name }) => `${access} ${relation?.name ?? '?'}.${name}`)
    .toSorted()
}

export function codes(sql: string): string[] {
  return classified(sql).findings.map(({ code }) => code)
}
