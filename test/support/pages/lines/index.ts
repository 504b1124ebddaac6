export { covers } from './covers.ts'
export { LINES, type LineId, PAGES } from './pages.ts'
export { buildTable, type ConformanceRow, type ConformanceTable, type TestOutcome } from './table.ts'
