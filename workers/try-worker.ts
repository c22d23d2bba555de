import { isTagged, TAG } from "./link.ts"

/** Starts one worker, waits until it can take runs, and ends it; answers with the milliseconds. Rejects with the reason. */
export async function tryWorker(limitMs = 15_000): Promise<number> {
  const start = performance.now()
  const worker = new Worker(new URL("./session-worker.js", import.meta.url), { type: "module" })
  let late: ReturnType<typeof setTimeout> | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      late = setTimeout(() => reject(new Error(`it was not ready after ${limitMs} ms`)), limitMs)
      worker.addEventListener("message", ({ data }: MessageEvent) => {
        if (isTagged(data) && data[TAG] === "ready") resolve()
      })
      worker.addEventListener("error", (event: ErrorEvent) => reject(new Error(event.message)))
      worker.addEventListener("close", () => reject(new Error("it ended before it was ready")))
    })
    return performance.now() - start
  } finally {
    clearTimeout(late)
    worker.terminate()
  }
}
