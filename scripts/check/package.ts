/** Builds and packs the package and has it judged as a stranger would: publint, attw, its size and what is in it. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { pack } from "../build/pack.ts"

/** All the package needs is in it: it depends on no other. Types and documents are a seventh of it. */
const MOST_BYTES = 620_000
const ROOT = resolve(import.meta.dir, "../..")
const bin = (name: string): string => join(ROOT, "node_modules/.bin", name)

const folder = mkdtempSync(join(tmpdir(), "lanes-package-"))
const troubles: string[] = []

function judge(name: string, command: readonly string[]): void {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1" },
  })
  if (exitCode !== 0) troubles.push(`${name}:\n${stdout.toString()}${stderr.toString()}`.trim())
}

try {
  const { tarball, files, bytes } = pack(folder, { types: true })
  judge("publint", [bin("publint"), "run", tarball, "--strict"])
  judge("attw", [bin("attw"), tarball, "--profile", "esm-only"])
  const strangers = files.filter(
    ({ path }) => !/^(dist\/|schema\.json$|package\.json$|README\.md$|LICENSE$)/.test(path),
  )
  if (strangers.length > 0) troubles.push(`nobody needs ${strangers.map(({ path }) => path).join(", ")} in the package`)
  if (bytes > MOST_BYTES) troubles.push(`the package is ${bytes} bytes unpacked; at most ${MOST_BYTES}`)
  for (const trouble of troubles) console.error(trouble)
  console.log(`${files.length} files, ${(bytes / 1000).toFixed(1)} kB unpacked`)
  process.exitCode = troubles.length > 0 ? 1 : 0
} finally {
  rmSync(folder, { recursive: true, force: true })
}
