/**
 * Builds `dist`, all that the package holds: bundles, their types, the launcher of the command line.
 *
 *   --no-types        leaves the types out, for tests that only run it
 *   --into <folder>   instead of `dist`
 */
import { chmodSync, copyFileSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { bundle } from "./build/bundle.ts"

const root = resolve(import.meta.dir, "..")
const { values } = parseArgs({ options: { "no-types": { type: "boolean" }, into: { type: "string" } } })
const dist = resolve(values.into ?? join(root, "dist"))
// Made apart and put in place in one go: whoever uses the old one meanwhile finds it whole.
const outdir = `${dist}.${process.pid}`

try {
  mkdirSync(outdir)
  const sizes = await bundle(outdir)
  copyFileSync(join(root, "src/cli/launcher.mjs"), join(outdir, "lanes.mjs"))
  chmodSync(join(outdir, "lanes.mjs"), 0o755)
  sizes.set("lanes.mjs", statSync(join(outdir, "lanes.mjs")).size)
  if (values["no-types"] !== true) {
    const { rollUp } = await import("./build/declarations.ts")
    const { messages } = rollUp(outdir, { update: false })
    for (const message of messages) console.log(message)
    for (const file of ["types", "index", "sim", "server"])
      sizes.set(`${file}.d.ts`, statSync(join(outdir, `${file}.d.ts`)).size)
  }
  rmSync(dist, { recursive: true, force: true })
  renameSync(outdir, dist)
  for (const [file, bytes] of sizes) {
    if (!file.startsWith("chunk-")) console.log(`dist/${file.padEnd(20)} ${(bytes / 1000).toFixed(1).padStart(6)} kB`)
  }
  const all = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0)
  console.log(`dist in all               ${(all / 1000).toFixed(1).padStart(6)} kB`)
} finally {
  rmSync(outdir, { recursive: true, force: true })
}
