/** A program that starts a server and lives until it is killed. Argument: options of `startServer` as JSON. */

import { startServer } from "../../src/adapters/opencode-server.ts"
import type { StartServerOptions } from "../../src/adapters/opencode-server.ts"

const server = await startServer(JSON.parse(process.argv[2] ?? "{}") as StartServerOptions)
process.stdout.write(`${JSON.stringify({ url: server.url, pid: server.pid, password: server.password })}\n`)
await server.exited
