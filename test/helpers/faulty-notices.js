/* oxlint-disable no-underscore-dangle -- the SDK keeps its inner client there */
/** An OpenCode plugin for tests: fails the first three tries to write into a conversation that has been named in a file. */
import { readFileSync, writeFileSync } from "node:fs"

let failed = 0

export default {
  id: "faulty-notices",
  server: async ({ client }) => {
    const real = client._client.getConfig().fetch ?? globalThis.fetch
    client._client.setConfig({
      fetch: async (request) => {
        const named = (() => {
          try {
            return readFileSync(`${process.env.TMPDIR}/faulty-conversation`, "utf8")
          } catch {
            return ""
          }
        })()
        const writes = request.method === "POST" && /\/(message|prompt_async)$/.test(new URL(request.url).pathname)
        if (named !== "" && writes && request.url.includes(named) && failed < 3) {
          failed += 1
          writeFileSync(`${process.env.TMPDIR}/faults`, String(failed))
          // The first is lost before it arrives, the second is refused, the answer of the third is lost.
          if (failed === 1) throw new TypeError("fetch failed")
          if (failed === 2) return new Response("{}", { status: 503 })
          await real(request)
          throw new TypeError("fetch failed")
        }
        return real(request)
      },
    })
    return {}
  },
}
