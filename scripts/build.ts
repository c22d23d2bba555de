/**
 * Builds `dist`: the library, the worker beside it, and the OpenCode plugin as one file beside the same worker. The host of a
 * plugin may be Node, so nothing on its import path is Bun's alone; and it installs no packages, so all are inside.
 */
import { rmSync } from "node:fs"
import { resolve } from "node:path"

const root = resolve(import.meta.dir, "..")
const outdir = resolve(root, "dist")

/** Name in `dist` → where it begins. The worker's name is the one the pool asks for. */
const ENTRIES: Readonly<Record<string, string>> = {
  index: "src/index.ts",
  "session-worker": "workers/session-worker.ts",
  server: "src/plugin/server.ts",
}

rmSync(outdir, { recursive: true, force: true })
for (const [name, entry] of Object.entries(ENTRIES)) {
  const built = await Bun.build({
    entrypoints: [resolve(root, entry)],
    outdir,
    naming: `${name}.js`,
    target: "node",
    format: "esm",
    minify: { syntax: true, whitespace: true, identifiers: false },
  })
  const size = built.outputs.reduce((sum, { size: bytes }) => sum + bytes, 0)
  console.log(`dist/${name}.js  ${(size / 1024).toFixed(0)} kB`)
}
