/**
 * The OpenCode plugin in one file, and its worker in another: hosts load them from wherever they lie, without the packages
 * a library finds beside it, and one file is read faster than many.
 */
import { basename, join, resolve } from "node:path"

const ROOT = resolve(import.meta.dir, "../..")
const SOURCES = ["src/plugin/server.ts", "workers/session-worker.ts"]

/** Writes `server.js` and `session-worker.js` into `outdir`; returns the bytes of each. */
export async function bundlePlugin(outdir: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>()
  for (const source of SOURCES) {
    const { outputs } = await Bun.build({
      entrypoints: [join(ROOT, source)],
      outdir,
      naming: "[name].js",
      // The host may be Node: nothing on the import path is Bun's alone.
      target: "node",
      format: "esm",
      minify: true,
    })
    for (const { path, size } of outputs) sizes.set(basename(path), size)
  }
  return sizes
}
