import { basicAuth } from "../../../src/adapters/opencode-server.ts"
import type { TestOpenCode } from "../../../test/helpers/opencode.ts"

/** What the server itself says of its sessions, in epoch ms. */
export interface Truth extends AsyncDisposable {
  /** When it first became busy. */
  busyAt(sessionID: string): number | undefined
  /** The first time it went idle at or after a moment. */
  idleAt(sessionID: string, since: number): number | undefined
}

/** Follows the server's events; independent of whoever is measured. */
export async function followTruth(oc: TestOpenCode): Promise<Truth> {
  const end = new AbortController()
  const busy = new Map<string, number>()
  const idle = new Map<string, number[]>()
  const response = await fetch(`${oc.url}/event?directory=${encodeURIComponent(oc.directory)}`, { headers: { authorization: basicAuth(oc.password) }, signal: end.signal })
  const reading = (async () => {
    let rest = ""
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const lines = (rest + chunk).split("\n")
      rest = lines.pop() ?? ""
      for (const line of lines) {
        const [, session = "", type] = /"type":"session\.status","properties":\{"sessionID":"(ses_\w+)","status":\{"type":"(\w+)"/.exec(line) ?? []
        if (type === "busy" && !busy.has(session)) busy.set(session, Date.now())
        if (type === "idle") idle.set(session, [...(idle.get(session) ?? []), Date.now()])
      }
    }
  })().catch(() => {})
  return {
    busyAt: (session) => busy.get(session),
    idleAt: (session, since) => idle.get(session)?.find((at) => at >= since),
    [Symbol.asyncDispose]: async () => {
      end.abort()
      await reading
    },
  }
}
