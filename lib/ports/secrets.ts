/** Named secrets. Values never appear in an error, a log or an argument list. */
export interface Secrets {
  /** Throws SECRET_MISSING. */
  get(name: string): Promise<string>
  find(name: string): Promise<string | undefined>
}
