import type { SessionInfo } from "../src/coordinator/ports.ts"
import { NO_TOKENS } from "../src/core/snapshot.ts"
import type { SessionAnswer } from "./opencode-shapes.ts"

/** A session as runs see it: without tokens it has used none, without metadata it has none of ours. */
export function infoOf({ time, tokens, cost, metadata, parentID, ...rest }: SessionAnswer): SessionInfo {
  return {
    ...rest,
    ...(parentID === undefined ? {} : { parentID }),
    created: time.created,
    updated: time.updated,
    tokens:
      tokens === undefined
        ? NO_TOKENS
        : {
            input: tokens.input,
            output: tokens.output,
            reasoning: tokens.reasoning,
            cacheRead: tokens.cache.read,
            cacheWrite: tokens.cache.write,
          },
    cost: cost ?? 0,
    metadata: metadata ?? {},
  }
}
