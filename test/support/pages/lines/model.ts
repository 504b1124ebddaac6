/** A line of a page: the section, and what it says or does. */
export type PageLines = Readonly<Record<string, readonly [section: string, line: string]>>
