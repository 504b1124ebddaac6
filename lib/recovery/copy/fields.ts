/** Where the fields of some rows lie in a buffer of COPY BINARY. */

export const NULL_LENGTH = -1

export interface FieldTable {
  /** Of each field's first byte; row by row. */
  readonly offsets: Int32Array
  /** In bytes; NULL_LENGTH for NULL. */
  readonly lengths: Int32Array
  readonly columnCount: number
  readonly rowCount: number
}

/** A value that the chosen encoding cannot hold exactly: the column has to be captured in another one. */
export class UnencodableValue extends Error {
  readonly columnIndex: number

  constructor(columnIndex: number) {
    super(`column ${columnIndex} holds a value that its encoding cannot`)
    this.name = 'UnencodableValue'
    this.columnIndex = columnIndex
  }
}
