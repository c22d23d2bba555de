/**
 * Bundles all entries at once, so that what they share is there once, and everything with them: hosts load the plugin from
 * wherever it lies, and in Node, which cannot load some packages as they are published. All files lie beside each other,
 * because the pool looks for its worker next to itself, whichever file it was put into.
 */
import { join, resolve } from "node:path"
import { substitutes } from "./substitutes.ts"

interface Entry {
  /** Of the file in `dist`. */
  readonly name: string
  readonly source: string
  /** What the entry passes on. */
  readonly exports: "all" | "default" | "nothing"
}

const ENTRIES: readonly Entry[] = [
  { name: "index", source: "src/index.ts", exports: "all" },
  { name: "session-worker", source: "workers/session-worker.ts", exports: "nothing" },
  { name: "server", source: "src/plugin/server.ts", exports: "default" },
  { name: "sim", source: "src/sim/index.ts", exports: "all" },
  { name: "cli", source: "src/cli/main.ts", exports: "nothing" },
  // A program of its own, which the demo gives to OpenCode.
  { name: "ripgrep", source: "src/cli/demo/ripgrep.ts", exports: "nothing" },
]

const ROOT = resolve(import.meta.dir, "../..")

function passOn({ source, exports }: Entry): string {
  const from = JSON.stringify(`./${source}`)
  if (exports === "all") return `export * from ${from}`
  return exports === "default" ? `export { default } from ${from}` : `import ${from}`
}

/** Writes the bundles into `outdir`; returns the bytes of each file. */
export async function bundle(outdir: string): Promise<Map<string, number>> {
  const files = Object.fromEntries(ENTRIES.map((entry) => [join(ROOT, `${entry.name}.ts`), passOn(entry)]))
  const { outputs } = await Bun.build({
    entrypoints: Object.keys(files),
    files,
    outdir,
    naming: { entry: "[name].js", chunk: "chunk-[hash].js" },
    // The host may be Node: nothing on the import path of a library is Bun's alone.
    target: "node",
    format: "esm",
    splitting: true,
    minify: true,
    plugins: [...substitutes],
  })
  return new Map(outputs.map(({ path, size }) => [path.slice(outdir.length + 1), size]))
}
