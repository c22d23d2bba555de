import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"

/** The version in our package.json, which is some folders above this file, in the sources as in a bundle. */
export function version(): string {
  for (let folder = import.meta.dir; ; folder = dirname(folder)) {
    const file = join(folder, "package.json")
    const manifest: unknown = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined
    if (isOurs(manifest)) return manifest.version
    if (folder === dirname(folder)) return "unknown"
  }
}

function isOurs(manifest: unknown): manifest is { version: string } {
  if (typeof manifest !== "object" || manifest === null || !("name" in manifest)) return false
  return manifest.name === "opencode-lanes" && "version" in manifest && typeof manifest.version === "string"
}
