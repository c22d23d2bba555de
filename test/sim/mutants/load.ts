import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A change that breaks the product: each text is found exactly once in it, so that a mutant cannot rot unnoticed. */
export interface Mutant {
  readonly name: string
  readonly change: readonly (readonly [find: string, replace: string])[]
  /** The invariant whose own oracle must notice, whatever others would. */
  readonly breaks: number
  /** What is played to find it. Default: a swarm. */
  readonly with?: "swarm" | "calm" | "limits" | "crashes" | "sleep" | "continues"
}

const ROOT = join(import.meta.dir, "../../..")
/** What a simulation is made of. */
const PARTS = ["src/core", "src/coordinator", "src/config", "src/config.ts", "src/check-input.ts", "src/sim", "workers"]

/** A copy of the product with a mutant's changes, to be imported and then removed. */
export function mutated(mutant: Mutant): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "lanes-mutant-"))
  for (const part of PARTS) cpSync(join(ROOT, part), join(path, part), { recursive: true })
  symlinkSync(join(ROOT, "node_modules"), join(path, "node_modules"))
  const files = ["src/core", "src/coordinator", "workers"].flatMap((part) =>
    readdirSync(join(path, part)).map((name) => join(path, part, name)),
  )
  for (const [find, replace] of mutant.change) {
    const holders = files.filter((file) => file.endsWith(".ts") && readFileSync(file, "utf8").includes(find))
    const [file] = holders
    const text = file === undefined ? "" : readFileSync(file, "utf8")
    if (file === undefined || holders.length > 1 || text.split(find).length !== 2) {
      rmSync(path, { recursive: true, force: true })
      throw new Error(
        `Mutant "${mutant.name}": "${find}" is found ${holders.length} times; the product has changed, so change the mutant.`,
      )
    }
    writeFileSync(
      file,
      text.replace(find, () => replace),
    )
  }
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
