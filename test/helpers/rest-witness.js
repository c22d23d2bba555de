/** An OpenCode plugin for tests: writes down what the plugin beside it holds, as long as the process lives. */
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"

const workers = () =>
  readdirSync("/proc/self/task").filter((thread) => {
    try {
      return readFileSync(`/proc/self/task/${thread}/comm`, "utf8").startsWith("worker-")
    } catch {
      return false
    }
  }).length

let looking

export default {
  id: "rest-witness",
  server: async () => {
    looking ??= setInterval(() => {
      const shared = Object.getOwnPropertySymbols(globalThis).find(({ description }) =>
        description?.startsWith("opencode-lanes@"),
      )
      const opened = globalThis[shared]?.opened
      const file = `${process.env.TMPDIR}/rest`
      writeFileSync(`${file}.new`, JSON.stringify({ sizes: opened?.coordinator.sizes(), workers: workers() }))
      renameSync(`${file}.new`, file)
    }, 100)
    looking.unref()
    return {}
  },
}
