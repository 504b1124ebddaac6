/** Unpredictable bytes, for ids, tokens and boundaries. */
export interface Random {
  bytes(count: number): Uint8Array
}
