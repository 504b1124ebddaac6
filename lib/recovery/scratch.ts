/** How the scratch of a drill is known: by its name and, in its comment, by a mark. Neither alone is enough. */

export const SCRATCH_PREFIX = 'backstop_drill_'
/** A regular expression of PostgreSQL and of JavaScript. */
export const SCRATCH_NAME_PATTERN = '^backstop_drill_[0-9a-f]{32}$'
/** What the comment of the schema begins with; the JSON that follows says whose it is. */
export const SCRATCH_MARK = 'backstop-drill-scratch '
