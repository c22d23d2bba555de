import { serveRuns } from "../../../workers/serve-runs.ts"

serveRuns(async () => {
  const { nullApi, nullRun } = await import("./null-run.ts")
  return {
    connect: ({ clock }) => {
      const api = nullApi(clock)
      return () => api
    },
    drive: (assignment, { api, clock, report }) => nullRun(assignment, api, clock, report),
  }
})
