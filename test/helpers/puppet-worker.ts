import { serveRuns } from "../../workers/serve-runs.ts"

serveRuns(async () => (await import("./puppet.ts")).puppetRole())
