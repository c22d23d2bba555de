/**
 * Enforces who may import whom (`.dependency-cruiser.mjs`) and fails with the sentence of the rule that was broken.
 *
 * A cruise that understood no TypeScript finds nothing and reports success, so the number of modules it saw is
 * compared with the number of files that are there; and every file belongs to a part that has a row.
 */
import { existsSync } from "node:fs"
import { resolve } from "node:path"

interface Violation {
  readonly from: string
  readonly to: string
  readonly rule: { readonly name: string }
  readonly cycle?: readonly { readonly name: string }[]
}

interface Cruise {
  readonly modules: readonly { readonly source: string }[]
  readonly summary: {
    readonly violations: readonly Violation[]
    readonly ruleSetUsed?: { readonly forbidden?: readonly { readonly name: string; readonly comment?: string }[] }
  }
}

const depcruise = resolve(import.meta.dir, "../../node_modules/dependency-cruiser/bin/dependency-cruise.mjs")
const roots = ["src", "workers"].filter((root) => existsSync(root))
const files = roots.flatMap((root) => [...new Bun.Glob(`${root}/**/*.{ts,tsx}`).scanSync()])

function fail(lines: readonly string[]): never {
  console.error(lines.join("\n"))
  process.exit(1)
}

if (files.length === 0) fail(["no TypeScript file under src or workers: there is nothing to check"])

const { parts } = (await import(resolve(".dependency-cruiser.mjs"))) as { parts: readonly string[] }
const homeless = files.filter((file) => !parts.some((part) => new RegExp(part).test(file)))
if (homeless.length > 0) {
  fail(homeless.map((file) => `${file} belongs to no part: give it a row in .dependency-cruiser.mjs`))
}

const cruise = Bun.spawnSync([
  "node",
  depcruise,
  "--config",
  ".dependency-cruiser.mjs",
  "--output-type",
  "json",
  ...roots,
])
const output = cruise.stdout.toString()
if (!output.startsWith("{")) fail(["dependency-cruiser did not run:", cruise.stderr.toString(), output])

const { modules, summary } = JSON.parse(output) as Cruise
const seen = new Set(modules.map((module) => module.source))
const unseen = files.filter((file) => !seen.has(file))
if (unseen.length > 0) fail([`${unseen.length} of ${files.length} files were not checked:`, ...unseen])

const sentences = new Map(summary.ruleSetUsed?.forbidden?.map((rule) => [rule.name, rule.comment ?? rule.name]))
if (summary.violations.length > 0) {
  fail(
    summary.violations.map(({ from, to, rule, cycle }) => {
      const target = cycle ? cycle.map((step) => step.name).join(" → ") : to
      return `${from} → ${target}\n  ${sentences.get(rule.name) ?? rule.name} [${rule.name}]`
    }),
  )
}
console.log(`${files.length} files keep to their boundaries`)
