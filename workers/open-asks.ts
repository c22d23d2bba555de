import type { Ask } from "../src/core/snapshot.ts"
import type { PermissionsAnswer, QuestionsAnswer } from "./opencode-shapes.ts"

/** Permission asks and questions of a directory, by session; a question is an ask for the permission `question`. */
export function asksOf(permissions: PermissionsAnswer, questions: QuestionsAnswer): Record<string, readonly Ask[]> {
  const of: Record<string, Ask[]> = {}
  const add = (sessionID: string, ask: Ask): void => void (of[sessionID] ??= []).push(ask)
  for (const { id, sessionID, permission, patterns } of permissions) add(sessionID, { id, permission, patterns })
  for (const { id, sessionID, questions: asked } of questions) {
    add(sessionID, { id, permission: "question", patterns: asked.map(({ question }) => question) })
  }
  return of
}
