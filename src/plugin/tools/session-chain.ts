import type { Composed } from "../../compose.ts"

/** Longer chains are somebody's mistake. */
const LONGEST = 30

/** The sessions above one, nearest first, read from the server. Rejects when there is no such session. */
export async function chainOf(api: Composed["api"], directory: string, sessionID: string): Promise<string[]> {
  const chain: string[] = []
  for (let at = sessionID; chain.length < LONGEST;) {
    const { parentID } = await api.get(directory, at)
    if (parentID === undefined) return chain
    chain.push(parentID)
    at = parentID
  }
  return chain
}
