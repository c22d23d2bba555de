import { basicAuth } from "../../src/adapters/opencode-server.ts"
import type { TestOpenCode } from "./opencode.ts"

/** Reads the server's own events, line by line, whoever else listens; disposed, it has heard the last one. */
export async function followEventLines(oc: TestOpenCode, hear: (line: string) => void): Promise<AsyncDisposable> {
  const end = new AbortController()
  const response = await fetch(`${oc.url}/event?directory=${encodeURIComponent(oc.directory)}`, {
    headers: { authorization: basicAuth(oc.password) },
    signal: end.signal,
  })
  const reading = (async () => {
    let rest = ""
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const lines = (rest + chunk).split("\n")
      rest = lines.pop() ?? ""
      for (const line of lines) hear(line)
    }
  })().catch(() => {})
  return {
    [Symbol.asyncDispose]: async () => {
      end.abort()
      await reading
    },
  }
}
