/** Operator symbols that a statement's text could hold, without parsing it: a superset is what is wanted. */
const OPERATOR_RUN = /[+\-*/<>=~!@#%^&|`?]+/g
const LONGEST_RUN = 16

/** Every substring of every run of operator characters: the scanner may split a run anywhere. */
export function operatorSymbols(sql: string): readonly string[] {
  const symbols = new Set<string>()
  for (const [run] of sql.matchAll(OPERATOR_RUN)) {
    const text = run.slice(0, LONGEST_RUN)
    for (let start = 0; start < text.length; start++) {
      for (let end = start + 1; end <= text.length; end++) symbols.add(text.slice(start, end))
    }
  }
  return [...symbols]
}
