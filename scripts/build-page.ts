/**
 * Makes `src/page/page.html` of `src/page/front`: one file with its script and style in it.
 *
 * `bun scripts/build-page.ts` writes it; with `--check` it fails when the file is not what the sources make.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const FRONT = join(import.meta.dir, "../src/page/front")
export const PAGE_FILE: string = join(import.meta.dir, "../src/page/page.html")

/** The page as its sources make it. */
export async function buildPage(): Promise<string> {
  const built = await Bun.build({
    entrypoints: [join(FRONT, "main.ts"), join(FRONT, "style.css")],
    target: "browser",
    format: "esm",
    minify: true,
    // A production build: no warnings of libraries, and the same bytes wherever it is made.
    define: { "process.env.NODE_ENV": '"production"' },
  })
  const outputs = await Promise.all(built.outputs.map(async (output) => [output.path, await output.text()] as const))
  const script = outputs.find(([path]) => path.endsWith(".js"))?.[1] ?? ""
  const style = outputs.find(([path]) => path.endsWith(".css"))?.[1] ?? ""
  const template = readFileSync(join(FRONT, "index.html"), "utf8")
    .replaceAll(/>\s*\n\s*</g, "><")
    .replaceAll(/\n\s+/g, " ")
  // Inside a script element its own end tag would end it; in JavaScript the escaped one means the same.
  const inert = script.trim().replaceAll(/<\/(script)/gi, "<\\/$1")
  return template
    .replace("<style></style>", () => `<style>${style.trim()}</style>`)
    .replace('<script type="module"></script>', () => `<script type="module">${inert}</script>`)
}

if (import.meta.main) {
  const html = await buildPage()
  if (!process.argv.includes("--check")) writeFileSync(PAGE_FILE, html)
  else if (readFileSync(PAGE_FILE, "utf8") !== html) {
    console.error("src/page/page.html is older than src/page/front: run `bun scripts/build-page.ts`.")
    process.exit(1)
  }
}
