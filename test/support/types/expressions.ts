/** SQL expressions of values of any type, built from those of the types that it is made of. */
import fc from 'fast-check'
import { quoteIdentifier, quoteLiteral } from '#lib/kernel/index.ts'
import type { BaseValues } from './base-values.ts'
import type { CatalogType, TypeGraph } from './type-graph.ts'
import { typeOf } from './type-graph.ts'

type Expression = fc.Arbitrary<string>

const CONTINUOUS = ['[)', '[]', '(]', '()']
const nullable = (value: Expression) => fc.option(value, { freq: 5 }).map((text) => text ?? 'NULL')

/** Makes values of the graph's types; `values` are those of types that are made of nothing else, and of constrained domains. */
export class Expressions {
  readonly #graph: TypeGraph
  readonly #values: Readonly<Record<string, BaseValues>>
  readonly #known = new Map<string, Expression>()

  constructor(graph: TypeGraph, values: Readonly<Record<string, BaseValues>>) {
    this.#graph = graph
    this.#values = values
  }

  /** Expressions that tend to get lost, each cast to the type. */
  edges(oid: number): readonly string[] {
    const type = typeOf(this.#graph, oid)
    const own = this.#values[type.name]?.edges ?? [...type.labels.map(quoteLiteral), ...this.#shapes(type)]
    return own.map((edge) => `CAST(${edge} AS ${type.sql})`)
  }

  of(oid: number, depth = 0): Expression {
    const key = `${oid} ${depth > 1}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const type = typeOf(this.#graph, oid)
    const made = this.#make(type, depth).map((text) => `CAST(${text} AS ${type.sql})`)
    this.#known.set(key, made)
    return made
  }

  #make(type: CatalogType, depth: number): Expression {
    const values = this.#values[type.name]
    if (values !== undefined) return fc.oneof({ weight: 3, arbitrary: values.random }, fc.constantFrom(...values.edges))
    if (type.element !== null) return this.#array(type, type.element, depth)
    if (type.kind === 'e') return fc.constantFrom(...type.labels.map(quoteLiteral))
    if (type.kind === 'c') {
      const fields = type.fields.map((field) => nullable(this.of(field, depth + 1)))
      return fc.tuple(...fields).map((texts) => `ROW(${texts.join(', ')})`)
    }
    if (type.base === null) throw new RangeError(`no values for type ${type.schema}.${type.name}`)
    if (type.kind === 'd') return this.of(type.base, depth)
    return type.kind === 'r' ? this.#range(type, type.base, depth) : this.#multirange(type, type.base, depth)
  }

  /** Empty, one-dimensional, with other lower bounds, of two and of three dimensions; NULL among the elements. */
  #array(type: CatalogType, element: number, depth: number): Expression {
    const sql = type.sql
    const one = nullable(this.of(element, depth + 1))
    const line = fc
      .array(one, { minLength: 1, maxLength: depth > 0 ? 2 : 4 })
      .map((all) => `ARRAY[${all.join(', ')}]::${sql}`)
    const moved = fc
      .tuple(fc.array(one, { minLength: 2, maxLength: 2 }), fc.integer({ min: -5, max: 5 }))
      .map(([all, from]) => `('[${from}:${from + 1}]=' || format('%s', ARRAY[${all.join(', ')}]::${sql}))::${sql}`)
    const shapes = [
      { weight: 4, arbitrary: line },
      { weight: 1, arbitrary: fc.constant(`'{}'`) },
      { weight: 2, arbitrary: moved },
    ]
    if (depth > 0 || typeOf(this.#graph, element).element !== null) return fc.oneof(...shapes)
    const pair = (inner: Expression) => fc.tuple(inner, inner).map(([left, right]) => `ARRAY[${left}, ${right}]`)
    const square = pair(pair(one)).map((all) => `${all}::${sql}`)
    const cube = pair(pair(pair(one))).map((all) => `('[2:3][-1:0][7:8]=' || format('%s', ${all}::${sql}))::${sql}`)
    return fc.oneof(...shapes, { weight: 2, arbitrary: square }, { weight: 1, arbitrary: cube })
  }

  #range(type: CatalogType, subtype: number, depth: number): Expression {
    const make = `${quoteIdentifier(type.schema)}.${quoteIdentifier(type.name)}`
    const bound = this.of(subtype, depth + 1)
    const isDiscrete = /^(int4|int8|date)range$/.test(type.name)
    const forms = isDiscrete ? fc.constant('[)') : fc.constantFrom(...CONTINUOUS)
    const closed = fc
      .tuple(bound, bound, forms)
      .map(
        ([a, b, form]) =>
          `(SELECT ${make}(least(x, y), greatest(x, y), '${form}') FROM (SELECT ${a} AS x, ${b} AS y) v)`,
      )
    const half = fc
      .tuple(bound, fc.boolean())
      .map(([a, isLower]) => (isLower ? `${make}(${a}, NULL)` : `${make}(NULL, ${a})`))
    return fc.oneof({ weight: 4, arbitrary: closed }, half, fc.constantFrom(`'empty'`, `'(,)'`))
  }

  #multirange(type: CatalogType, range: number, depth: number): Expression {
    const make = `${quoteIdentifier(type.schema)}.${quoteIdentifier(type.name)}`
    return fc.array(this.of(range, depth + 1), { maxLength: 3 }).map((all) => `${make}(${all.join(', ')})`)
  }

  #shapes(type: CatalogType): readonly string[] {
    if (type.element !== null) return [`'{}'`, `'{NULL}'`, `'[5:5]={NULL}'`]
    if (type.kind === 'c') return [`ROW(${type.fields.map(() => 'NULL').join(', ')})`]
    if (type.kind === 'r') return [`'empty'`, `'(,)'`]
    return type.kind === 'm' ? [`'{}'`, `'{(,)}'`] : []
  }
}
