/** An OpenCode plugin for tests: writes down the system prompt of each request, as the plugins before it left it. */
import { appendFileSync } from "node:fs"

export default {
  id: "system-witness",
  server: async () => ({
    "experimental.chat.system.transform": async ({ sessionID }, { system }) => {
      appendFileSync(`${process.env.TMPDIR}/system-prompts`, `${JSON.stringify({ sessionID, system })}\n`)
    },
  }),
}
