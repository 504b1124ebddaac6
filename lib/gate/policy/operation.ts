/** Labels of operations: which ones a policy may name, and which ones an entry covers. */
import { nearestName } from './nearest-name.ts'

export interface OperationFault {
  readonly message: string
  readonly suggestion?: string
}

/** PostgreSQL's commands whose label is their first word, with or without more. */
const PLAIN_VERBS = [
  'ABORT ANALYZE BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT DEALLOCATE DECLARE DELETE DISCARD DO END',
  'EXECUTE FETCH INSERT LISTEN LOAD LOCK MERGE MOVE NOTIFY RELEASE SAVEPOINT SHOW START TRUNCATE',
  'UNLISTEN UPDATE VALUES',
].flatMap((line) => line.split(' '))

/** Commands whose label goes on; the words after the verb are for the classifier to know. */
const OPEN_VERBS = [
  'COPY EXPLAIN GRANT IMPORT PREPARE REASSIGN REFRESH REINDEX RESET REVOKE ROLLBACK SECURITY SELECT SET VACUUM',
].flatMap((line) => line.split(' '))

const OBJECT_VERBS = ['ALTER', 'CREATE', 'DROP']

/** First words of the kinds of object that CREATE, ALTER and DROP take. */
const OBJECT_WORDS = [
  'ACCESS AGGREGATE CAST COLLATION CONSTRAINT CONVERSION DATABASE DEFAULT DOMAIN EVENT EXTENSION FOREIGN FUNCTION',
  'GROUP INDEX LANGUAGE LARGE MATERIALIZED OPERATOR OWNED POLICY PROCEDURAL PROCEDURE PUBLICATION ROLE ROUTINE RULE',
  'SCHEMA SEQUENCE SERVER STATISTICS SUBSCRIPTION SYSTEM TABLE TABLESPACE TEMPORARY TEXT TRANSFORM TRIGGER TYPE',
  'UNLOGGED USER VIEW',
].flatMap((line) => line.split(' '))

const VERBS = [...PLAIN_VERBS, ...OPEN_VERBS, ...OBJECT_VERBS]

export function normalizeOperation(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ').toUpperCase()
}

/** What is wrong with an entry of a normalized list of operations: a slip here would silently block nothing. */
export function checkOperation(operation: string): OperationFault | undefined {
  const [verb = '', second] = operation.split(' ')
  if (!VERBS.includes(verb)) return fault('does not begin with an SQL command', nearestName(verb, VERBS))
  if (second === undefined || OPEN_VERBS.includes(verb)) return undefined
  if (PLAIN_VERBS.includes(verb)) return fault(`has no kinds: write ${verb}`, verb)
  if (OBJECT_WORDS.includes(second)) return undefined
  const nearest = nearestName(second, OBJECT_WORDS)
  return fault('names no kind of object', nearest === undefined ? undefined : `${verb} ${nearest}`)
}

function fault(message: string, suggestion: string | undefined): OperationFault {
  return suggestion === undefined ? { message } : { message, suggestion }
}

/** True when the entry's words begin the label's: `DROP` covers `DROP TABLE`, `CREATE INDEX` covers `CREATE INDEX CONCURRENTLY`. */
export function coversOperation(entry: string, label: string): boolean {
  return label === entry || label.startsWith(`${entry} `)
}
