import { OffhookError } from '../failure/offhook-error.js'
import { story } from '../failure/story.js'

/** The whole story of an error, for people. */
export function explain(error: unknown): string {
  if (error instanceof OffhookError) return [`${error.name}: ${error.message}`, ...story(error)].join('\n')
  return String(error)
}
