/** The package as it is published: built, and packed into a tarball. */
import { cpSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs"
import { join, resolve } from "node:path"

const ROOT = resolve(import.meta.dir, "../..")

export interface Packed {
  readonly tarball: string
  /** The tarball, unpacked. */
  readonly directory: string
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
  /** Of all files. */
  readonly bytes: number
}

/**
 * Builds and packs into a folder, apart from `dist`, which somebody else may be building. Types take a few seconds; what
 * only runs needs none.
 */
export function pack(folder: string, { types }: { readonly types: boolean }): Packed {
  const source = join(folder, "source")
  for (const name of ["package.json", "README.md", "LICENSE", "schema.json"])
    cpSync(join(ROOT, name), join(source, name))
  run([process.execPath, "scripts/build.ts", "--into", join(source, "dist"), ...(types ? [] : ["--no-types"])], ROOT)
  run([process.execPath, "pm", "pack", "--ignore-scripts", "--quiet", "--destination", folder], source)
  rmSync(source, { recursive: true })
  const name = readdirSync(folder).find((file) => file.endsWith(".tgz"))
  if (name === undefined) throw new Error("nothing was packed")
  const tarball = join(folder, name)
  const directory = join(folder, "node_modules", "opencode-lanes")
  mkdirSync(directory, { recursive: true })
  run(["tar", "-xzf", tarball, "--strip-components=1", "-C", directory], folder)
  const files = [...new Bun.Glob("**/*").scanSync({ cwd: directory, dot: true })].map((path) => ({
    path,
    bytes: statSync(join(directory, path)).size,
  }))
  return { tarball, directory, files, bytes: files.reduce((sum, file) => sum + file.bytes, 0) }
}

function run(command: readonly string[], cwd: string): void {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { cwd, stdout: "pipe", stderr: "pipe" })
  if (exitCode !== 0) throw new Error(`${command.join(" ")} failed: ${stdout.toString()}${stderr.toString()}`)
}
