/** A small package of its own, with the checks' configuration, for planting violations that no other process sees. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import manifest from "../../package.json" with { type: "json" }

export const ROOT: string = resolve(import.meta.dir, "../..")

const CONFIGURATION = [
  "tsconfig.json",
  ".oxlintrc.json",
  ".oxfmtrc.json",
  ".dependency-cruiser.mjs",
  "knip.json",
  "bunfig.toml",
]

export interface Said {
  readonly code: number
  readonly output: string
}

export class ScratchTree implements Disposable {
  readonly path: string

  /**
   * Lies in an ignored folder of the checkout: packages are found by walking up to the real `node_modules`, which must
   * not be a link for the type-aware linter.
   */
  constructor(files: Readonly<Record<string, string>>) {
    mkdirSync(join(ROOT, ".scratch"), { recursive: true })
    this.path = mkdtempSync(join(ROOT, ".scratch", "tree-"))
    // The tools look upwards for ignore files and stop at a repository's root.
    mkdirSync(join(this.path, ".git"))
    for (const name of CONFIGURATION) cpSync(join(ROOT, name), join(this.path, name))
    this.write(files)
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.path, name)), { recursive: true })
      writeFileSync(join(this.path, name), text)
    }
  }

  /** Runs the command of a `check:*` script here. */
  check(name: string): Said {
    const scripts: Readonly<Record<string, string>> = manifest.scripts
    const command = scripts[name]?.replace("scripts/", `${ROOT}/scripts/`)
    if (!command) throw new Error(`package.json has no script ${name}`)
    return this.run(command.split(" "))
  }

  run(command: readonly string[], environment: Readonly<Record<string, string>> = {}): Said {
    const [program = "", ...rest] = command
    const file = program === "bun" ? process.execPath : join(ROOT, "node_modules/.bin", program)
    const { exitCode, stdout, stderr } = Bun.spawnSync([file, ...rest], {
      cwd: this.path,
      // The linter prints for machines where it finds CI set; the tests read what it tells people.
      env: { ...process.env, CI: undefined, NO_COLOR: "1", ...environment },
      stdin: "ignore",
    })
    return { code: exitCode, output: `${stdout.toString()}${stderr.toString()}` }
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
