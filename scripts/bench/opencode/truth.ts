import type { TestOpenCode } from "../../../test/helpers/opencode.ts"
import { followEventLines } from "../../../test/helpers/server-events.ts"

/** What the server itself says of its sessions, in epoch ms. */
export interface Truth extends AsyncDisposable {
  /** When it first became busy. */
  busyAt(sessionID: string): number | undefined
  /** How long it lay idle from its first work until a moment; ms. */
  idleBefore(sessionID: string, until: number): number
  /** The first time it went idle at or after a moment. */
  idleAt(sessionID: string, since: number): number | undefined
}

/** Follows the server's events; independent of whoever is measured. */
export async function followTruth(oc: TestOpenCode): Promise<Truth> {
  const busy = new Map<string, number>()
  const idle = new Map<string, number[]>()
  const turns = new Map<string, { readonly at: number; readonly idle: boolean }[]>()
  const events = await followEventLines(oc, (line) => {
    const [, session = "", type] =
      /"type":"session\.status","properties":\{"sessionID":"(ses_\w+)","status":\{"type":"(\w+)"/.exec(line) ?? []
    if (type === "busy" && !busy.has(session)) busy.set(session, Date.now())
    if (type !== undefined)
      turns.set(session, [...(turns.get(session) ?? []), { at: Date.now(), idle: type === "idle" }])
    if (type === "idle") idle.set(session, [...(idle.get(session) ?? []), Date.now()])
  })
  return {
    busyAt: (session) => busy.get(session),
    idleBefore: (session, until) => {
      const all = turns.get(session) ?? []
      return all.reduce(
        (sum, turn, i) =>
          turn.idle && turn.at < until ? sum + Math.min(until, all[i + 1]?.at ?? until) - turn.at : sum,
        0,
      )
    },
    idleAt: (session, since) => idle.get(session)?.find((at) => at >= since),
    [Symbol.asyncDispose]: () => events[Symbol.asyncDispose](),
  }
}
