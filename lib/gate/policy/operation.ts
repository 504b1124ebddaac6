/** Labels of operations: which ones a policy may name, which ones an entry covers, and what an access to a target is called. */
import type { Target } from '../classify/index.ts'
import { nearestName } from './nearest-name.ts'

export interface OperationFault {
  readonly message: string
  readonly suggestion?: string
}

/** PostgreSQL's commands whose label is their first word alone. */
const PLAIN_VERBS = [
  'ABORT ANALYZE BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT DEALLOCATE DELETE DISCARD DO END EXECUTE FETCH',
  'INSERT LISTEN LOAD MERGE MOVE NOTIFY RELEASE SAVEPOINT SHOW START TRUNCATE UNLISTEN UPDATE',
].flatMap((line) => line.split(' '))

/** Commands whose label may go on; the words after the verb are for the classifier to know. */
const OPEN_VERBS = [
  'COPY DECLARE EXPLAIN GRANT IMPORT LOCK PREPARE REASSIGN REFRESH REINDEX RESET REVOKE ROLLBACK SECURITY SELECT SET',
  'TRANSACTION VACUUM',
].flatMap((line) => line.split(' '))

const OBJECT_VERBS = ['ALTER', 'CREATE', 'DROP']

/** First words of the kinds of object that CREATE, ALTER and DROP take. */
const OBJECT_WORDS = [
  'ACCESS AGGREGATE CAST COLLATION CONVERSION DATABASE DEFAULT DOMAIN EVENT EXTENSION FOREIGN FUNCTION INDEX LANGUAGE',
  'LARGE MATERIALIZED OPERATOR OWNED POLICY PROCEDURE PUBLICATION ROLE ROUTINE RULE SCHEMA SEQUENCE SERVER STATISTICS',
  'SUBSCRIPTION SYSTEM TABLE TABLESPACE TEXT TRANSFORM TRIGGER TYPE USER VIEW',
].flatMap((line) => line.split(' '))

/** Words that SQL allows and that no label has. */
const LABELLED_AS: Readonly<Record<string, string>> = {
  CONSTRAINT: 'TRIGGER',
  GROUP: 'ROLE',
  PROCEDURAL: 'LANGUAGE',
  RECURSIVE: 'VIEW',
  TEMP: 'TABLE',
  TEMPORARY: 'TABLE',
  UNIQUE: 'INDEX',
  UNLOGGED: 'TABLE',
}

const VERBS = [...PLAIN_VERBS, ...OPEN_VERBS, ...OBJECT_VERBS]

export function normalizeOperation(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ').toUpperCase()
}

/** What is wrong with an entry of a normalized list of operations: a slip here would silently block nothing. */
export function checkOperation(operation: string): OperationFault | undefined {
  const [verb = '', second, third] = operation.split(' ')
  if (!VERBS.includes(verb)) return fault('does not begin with an SQL command', nearestName(verb, VERBS))
  if (second === undefined || OPEN_VERBS.includes(verb)) return undefined
  if (PLAIN_VERBS.includes(verb)) return fault(`has no kinds: write ${verb}`, verb)
  const label = second === 'USER' && third !== 'MAPPING' ? 'ROLE' : LABELLED_AS[second]
  if (label !== undefined) return fault('goes by another name', `${verb} ${label}`)
  if (OBJECT_WORDS.includes(second)) return undefined
  const nearest = nearestName(second, OBJECT_WORDS)
  return fault('names no kind of object', nearest === undefined ? undefined : `${verb} ${nearest}`)
}

function fault(message: string, suggestion: string | undefined): OperationFault {
  return suggestion === undefined ? { message } : { message, suggestion }
}

/** DROP ROUTINE drops functions and procedures alike, so that an entry for either of them covers it. */
const ROUTINES = ['FUNCTION', 'PROCEDURE']

/** True when the entry's words begin the label's: `DROP` covers `DROP TABLE`, `CREATE INDEX` covers `CREATE INDEX CONCURRENTLY`. */
export function coversOperation(entry: string, label: string): boolean {
  if (label === entry || label.startsWith(`${entry} `)) return true
  const [verb, kind] = label.split(' ')
  return kind === 'ROUTINE' && ROUTINES.some((routine) => `${verb} ${routine}` === entry)
}

const ACCESS_LABELS: Readonly<Partial<Record<Target['access'], string>>> = {
  insert: 'INSERT',
  update: 'UPDATE',
  delete: 'DELETE',
  merge: 'MERGE',
  truncate: 'TRUNCATE',
  'copy-in': 'COPY FROM',
}

/** What a policy would call the access: MERGE deletes, INSERT … ON CONFLICT updates, SELECT INTO creates a table. */
export function operationOfTarget({ access, objectKind }: Target): string | undefined {
  if ((access === 'create' || access === 'drop') && objectKind !== 'other') {
    return `${access} ${objectKind}`.toUpperCase()
  }
  return ACCESS_LABELS[access]
}
