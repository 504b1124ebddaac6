/** An alert as one message to a topic: a subject and a text for mail, a document for programs, attributes for filters. */
import type { PublishCommandInput } from '@aws-sdk/client-sns'
import type { JsonValue } from '#lib/kernel/index.ts'
import type { Alert } from '#lib/ports/index.ts'
import { buildAlertDocument } from '#lib/ports/index.ts'
import { boundAlert } from './alert-work.ts'

const MAX_SUBJECT = 99
const MAX_MAIL_FACTS = 50
const MAX_MAIL_FACT = 200

export type SnsMessage = Pick<PublishCommandInput, 'Subject' | 'Message' | 'MessageStructure' | 'MessageAttributes'>

/**
 * Shapes: every protocol gets the alert's document, except mail and short messages, which people read
 * Bounds: under 256 KiB, whatever the alert holds
 */
export function buildSnsMessage(raised: Alert): SnsMessage {
  const alert = boundAlert(raised)
  const document = buildAlertDocument(alert)
  return {
    Subject: buildSubject(alert),
    MessageStructure: 'json',
    Message: JSON.stringify({
      default: JSON.stringify(document),
      email: buildMail(alert),
      sms: String(document['text']).slice(0, 140).toWellFormed(),
    }),
    MessageAttributes: {
      severity: attribute(alert.severity),
      eventType: attribute(alert.eventType),
      environment: attribute(alert.environment),
    },
  }
}

/** SNS takes up to 99 characters of ASCII without line breaks. */
function buildSubject({ environment, severity, title }: Alert): string {
  const subject = `[${environment}] ${severity.toUpperCase()}: ${title}`
  return subject.replace(/[^\x20-\x7e]+/g, '?').slice(0, MAX_SUBJECT)
}

function buildMail(alert: Alert): string {
  const facts = Object.entries(alert.facts)
  const shown = facts.slice(0, MAX_MAIL_FACTS).map(([name, value]) => `  ${name}: ${shorten(value ?? null)}`)
  if (facts.length > shown.length) shown.push(`  and ${facts.length - shown.length} more`)
  return [
    `${alert.severity.toUpperCase()}: ${alert.title}`,
    '',
    `What to do: ${alert.recommendedAction}`,
    '',
    `Event: ${alert.eventType}`,
    `Environment: ${alert.environment}`,
    `At: ${alert.at}`,
    `Alert: ${alert.id}`,
    ...(shown.length > 0 ? ['', 'Facts:', ...shown] : []),
    '',
  ].join('\n')
}

function shorten(value: JsonValue): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length <= MAX_MAIL_FACT ? text : `${text.slice(0, MAX_MAIL_FACT - 1).toWellFormed()}…`
}

function attribute(StringValue: string) {
  return { DataType: 'String', StringValue }
}
