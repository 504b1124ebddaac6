/**
 * An alert as a message to a Slack incoming webhook.
 *
 * Source: Slack documentation, "Sending messages using incoming webhooks", "Block Kit", "Escaping text"
 */
import type { JsonObject, JsonValue } from '#lib/kernel/index.ts'
import type { Alert } from '#lib/ports/index.ts'

const MAX_HEADER = 150
const MAX_SECTION = 2_900
const MAX_FACTS = 10
const MAX_FACT = 300

const MARKS = { critical: '🔴', warning: '🟠', info: '🔵', resolved: '🟢' } as const

export function buildSlackMessage(alert: Alert): JsonObject {
  const mark = MARKS[alert.state ?? alert.severity]
  const head = `${mark} ${alert.title}`
  const facts = factLines(alert)
  return {
    // Shown in notifications, and where blocks cannot be.
    text: cut(
      escapeText(`[${alert.environment}] ${wordOf(alert)}: ${alert.title}. ${alert.recommendedAction}`),
      MAX_SECTION,
    ),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: cut(head, MAX_HEADER), emoji: true } },
      { type: 'section', text: { type: 'mrkdwn', text: cut(escapeText(alert.recommendedAction), MAX_SECTION) } },
      ...(facts === '' ? [] : [{ type: 'section', text: { type: 'mrkdwn', text: facts } }]),
      {
        type: 'context',
        elements: [{ type: 'mrkdwn', text: cut(escapeText(contextOf(alert)), MAX_SECTION) }],
      },
    ],
  }
}

function wordOf({ state, severity }: Alert): string {
  return (state ?? severity).toUpperCase()
}

function contextOf(alert: Alert): string {
  return [wordOf(alert), alert.environment, alert.eventType, alert.at, alert.id].join(' · ')
}

function factLines({ facts }: Alert): string {
  const lines = Object.entries(facts)
    .filter(([, value]) => value !== null && value !== undefined && value !== '')
    .slice(0, MAX_FACTS)
    .map(([name, value]) => `*${escapeText(name)}:* ${escapeText(cut(textOf(value ?? null), MAX_FACT))}`)
  return cut(lines.join('\n'), MAX_SECTION)
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The three characters that mean something: without this a name could be a link, or call everybody in the channel. */
function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1).toWellFormed()}…`
}
