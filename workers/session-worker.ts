import { serveRuns } from "./serve-runs.ts"

// A worker hears nothing before its static imports have loaded: everything heavy is loaded after it listens.
serveRuns(async () => (await import("./session-role.ts")).sessionRole)
