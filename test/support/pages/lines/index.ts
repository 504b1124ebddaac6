export { covers } from './covers.ts'
export { LINES, type LineId } from './pages.ts'
export { buildTable, type ConformanceRow, type ConformanceTable, type TestOutcome } from './table.ts'
