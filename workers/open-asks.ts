import type { Ask } from "../src/core/snapshot.ts"
import type { PermissionsAnswer, QuestionsAnswer } from "./opencode-shapes.ts"

/** Of one session, and of one ask: the next ones are seen when these are answered. Together they fit into one message. */
const MOST_ASKS = 40
const MOST_PATTERNS = 20

/** Permission asks and questions of a directory, by session; a question is an ask for the permission `question`. */
export function asksOf(permissions: PermissionsAnswer, questions: QuestionsAnswer): Record<string, readonly Ask[]> {
  const of = Object.create(null) as Record<string, Ask[]>
  const add = (sessionID: string, id: string, permission: string, patterns: readonly string[]): void => {
    const asks = (of[sessionID] ??= [])
    if (asks.length < MOST_ASKS) asks.push({ id, permission, patterns: patterns.slice(0, MOST_PATTERNS) })
  }
  for (const { id, sessionID, permission, patterns } of permissions) add(sessionID, id, permission, patterns)
  for (const { id, sessionID, questions: asked } of questions) {
    const patterns = asked.map(({ question }) => question)
    add(sessionID, id, "question", patterns)
  }
  return of
}
