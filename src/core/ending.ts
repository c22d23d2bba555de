import type { Leave } from "./drains.ts"
import type { Options } from "./options.ts"
import { BOUNDS } from "./options.ts"
import type { End } from "./outcome.ts"
import type { Run } from "./run.ts"
import type { Verdict } from "./stability.ts"

/** Verdicts on an idle session; all others fall without a fresh look, and what was idle then may be busy now. */
const SEEN_IDLE: ReadonlySet<string> = new Set([
  "TODOS_OPEN",
  "SESSION_ERROR",
  "PERMISSION",
  "PROMPT_REJECTED",
  "AGENT_UNKNOWN",
  "MODEL_UNKNOWN",
])

/** How a verdict ends its run, and how the run leaves its session; undefined: the run is asked to go on instead. */
export function endOf(
  verdict: Exclude<Verdict, { type: "wait" }>,
  { task, evidence }: Run,
  options: Options,
): { end: End; leave: Leave } | undefined {
  switch (verdict.type) {
    case "complete":
      return { end: { state: "completed", reason: verdict.reason, truncated: verdict.truncated }, leave: "idle" }
    case "escaped":
      return {
        end: { state: "cancelled", reason: "USER", message: "Somebody stopped it in its session." },
        leave: "idle",
      }
    case "fail": {
      const { reason, message } = verdict
      const idle = evidence.status.type === "absent" && evidence.sampledAt !== undefined && SEEN_IDLE.has(reason)
      return { end: { state: "error", reason, message }, leave: idle ? "idle" : "abort" }
    }
    case "nudge":
      return undefined
    case "interrupted": {
      const { cut, message } = verdict
      if (options.recover === "resume" && task.resumes < (cut ? BOUNDS.resumes : 1)) return undefined
      const reason = cut ? "INTERRUPTED" : "SESSION_ERROR"
      return { end: { state: "error", reason, message }, leave: cut ? "abort" : "idle" }
    }
  }
}
