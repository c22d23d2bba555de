/** What the package holds in place of some sources: the same, in fewer bytes. */
import { readFileSync } from "node:fs"
import { brotliCompressSync, constants } from "node:zlib"
import type { BunPlugin } from "bun"

/** The page compresses to a third, and is served once per visit. */
const page: BunPlugin = {
  name: "page",
  setup(build) {
    build.onLoad({ filter: /page\.html$/ }, ({ path }) => {
      const html = readFileSync(path)
      const params = { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: html.length }
      const packed = brotliCompressSync(html, { params }).toString("base64")
      const contents = `import { brotliDecompressSync } from "node:zlib"\nexport default brotliDecompressSync(Buffer.from("${packed}", "base64")).toString()\n`
      return { contents, loader: "js" }
    })
  },
}

/** JSON Schemas are known now; the library that makes them is not needed later. */
const schemas: BunPlugin = {
  name: "schemas",
  setup(build) {
    build.onLoad({ filter: /\/json-schemas?\.ts$/ }, async ({ path }) => {
      const values = Object.entries((await import(path)) as Record<string, unknown>)
      const contents = values.map(([name, value]) => `export const ${name} = ${JSON.stringify(value)}\n`).join("")
      return { contents, loader: "js" }
    })
  },
}

/**
 * Libraries for terminals bring tables of Unicode's widths; the command line runs under Bun alone, which has its own. The
 * first releases of 1.3 lack two of them: what we paint fits the screen, and needs neither. Our screen hides and shows
 * the cursor itself.
 */
const OF_BUN: Readonly<Record<string, string>> = {
  "string-width": "Bun.stringWidth",
  "strip-ansi": "Bun.stripANSI",
  "slice-ansi": "Bun.sliceAnsi ?? ((text, from) => text.slice(from))",
  "wrap-ansi": "Bun.wrapAnsi ?? ((text) => text)",
  "cli-cursor": "undefined",
}

const terminal: BunPlugin = {
  name: "terminal",
  setup(build) {
    const namespace = "of-bun"
    build.onResolve({ filter: new RegExp(`^(${Object.keys(OF_BUN).join("|")})$`) }, ({ path }) => ({ path, namespace }))
    build.onLoad({ filter: /./, namespace }, ({ path }) => ({
      contents: `export default ${OF_BUN[path]}`,
      loader: "js",
    }))
  },
}

export const substitutes: readonly BunPlugin[] = [page, schemas, terminal]
