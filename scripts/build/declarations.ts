/** Types of the entries: each source's declarations, rolled up into one file per entry, with a report of what is public. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, relative, resolve } from "node:path"
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor"
import ts from "typescript"
import { shareTypes } from "./share-types.ts"

const ROOT = resolve(import.meta.dir, "../..")
/** Where the reports are kept. */
export const REPORTS: string = join(ROOT, "test/api")

/** Entries whose types somebody imports; the others export nothing to name. */
const ROLLED = [
  { name: "index", source: "src/index.ts" },
  { name: "sim", source: "src/sim/index.ts" },
  { name: "server", source: "src/plugin/server.ts" },
] as const

export interface RolledUp {
  /** Reports that are not what is kept under `test/api`. */
  readonly changed: readonly string[]
  /** What the extractor said. */
  readonly messages: readonly string[]
}

/** Writes `<entry>.d.ts` into `outdir`; `update` also writes the reports. */
export function rollUp(outdir: string, { update }: { readonly update: boolean }): RolledUp {
  const folder = mkdtempSync(join(tmpdir(), "lanes-types-"))
  const changed: string[] = []
  const messages: string[] = []
  try {
    for (const { source } of ROLLED) declare(resolve(ROOT, source), folder, new Set())
    writeFileSync(join(folder, "package.json"), readFileSync(join(ROOT, "package.json")))
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: COMPILER, include: ["**/*.d.ts"] }))
    for (const { name, source } of ROLLED) {
      const entry = join(folder, source.replace(/\.ts$/, ".d.ts"))
      const { apiReportChanged } = Extractor.invoke(configOf(folder, entry, name, join(outdir, `${name}.d.ts`)), {
        localBuild: update,
        messageCallback: (message) => {
          message.handled = true
          const wanted = message.logLevel === ExtractorLogLevel.Error || message.logLevel === ExtractorLogLevel.Warning
          if (wanted && !message.messageId.startsWith("console-"))
            messages.push(message.formatMessageWithLocation(folder))
        },
      })
      if (apiReportChanged) changed.push(`${name}.api.md`)
      const file = join(outdir, `${name}.d.ts`)
      const text = readFileSync(file, "utf8").replaceAll(/^( {4})+/gm, (blanks) => "\t".repeat(blanks.length / 4))
      // A user's target may be older than what `await using` needs.
      writeFileSync(file, `/// <reference lib="esnext.disposable" />\n${text}`)
    }
    shareTypes(outdir, ["index", "sim"], "types")
    writeFileSync(join(outdir, "session-worker.d.ts"), "export {}\n")
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return { changed, messages }
}

const COMPILER = {
  target: "ESNext",
  lib: ["ESNext"],
  module: "Preserve",
  moduleResolution: "bundler",
  types: ["bun-types"],
  typeRoots: [join(ROOT, "node_modules")],
  strict: true,
  skipLibCheck: true,
  paths: { "*": [join(ROOT, "node_modules/*")] },
}

/** The declarations of a file and of all it names, each made from its text alone. */
function declare(file: string, folder: string, done: Set<string>): void {
  const target = join(folder, relative(ROOT, file).replace(/\.ts$/, ".d.ts"))
  if (done.has(file) || existsSync(target)) return
  done.add(file)
  const { outputText, diagnostics = [] } = ts.transpileDeclaration(readFileSync(file, "utf8"), {
    fileName: file,
    reportDiagnostics: true,
    compilerOptions: { isolatedDeclarations: true, stripInternal: true, target: ts.ScriptTarget.ESNext },
  })
  const [first] = diagnostics
  if (first !== undefined)
    throw new Error(`${relative(ROOT, file)}: ${ts.flattenDiagnosticMessageText(first.messageText, "\n")}`)
  mkdirSync(dirname(target), { recursive: true })
  const named: string[] = []
  // TypeScript 6.0 declares such a method twice, the first time as a property.
  const once = outputText.replaceAll(/^ *(\[Symbol\.\w+\]): \(.*\n(?=[^]*^ *\1\()/gm, "")
  const text = once.replaceAll(/(from |import\()"(\.[^"]+)\.ts"/g, (_whole, before: string, path: string) => {
    named.push(resolve(dirname(file), `${path}.ts`))
    return `${before}"${path}.js"`
  })
  writeFileSync(target, text)
  for (const next of named) declare(next, folder, done)
}

function configOf(folder: string, entry: string, name: string, rollup: string): ExtractorConfig {
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: entry,
      compiler: { tsconfigFilePath: join(folder, "tsconfig.json") },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: REPORTS,
        reportTempFolder: join(folder, "reports"),
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      tsdocMetadata: { enabled: false },
      dtsRollup: { enabled: true, untrimmedFilePath: rollup },
      newlineKind: "lf",
      messages: {
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Warning },
          // Everything exported is public; a tag on each would say nothing.
          "ae-missing-release-tag": { logLevel: ExtractorLogLevel.None },
          "ae-undocumented": { logLevel: ExtractorLogLevel.None },
          // Types that only appear in other types' members.
          "ae-forgotten-export": { logLevel: ExtractorLogLevel.None },
        },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, "package.json"),
  })
}
