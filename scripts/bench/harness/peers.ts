import { existsSync } from "node:fs"
import { join, resolve } from "node:path"

/** The folder with the peers' package. */
export const BENCH: string = resolve(import.meta.dir, "..")

/** Installs the peers if they are not there yet: a package of their own keeps the product lean. */
export function installPeers(): void {
  const child = Bun.spawnSync([process.execPath, "install", "--frozen-lockfile", "--silent"], {
    cwd: BENCH,
    stdout: "ignore",
    stderr: "pipe",
  })
  // Platform packages nobody published make bun complain without harm; what is needed is there or not.
  if (!existsSync(join(BENCH, "node_modules", "p-queue")))
    throw new Error(`The peers cannot be installed: ${child.stderr.toString()}`)
}

/** Imports a peer; its types are said by who uses it, so that the product's checks need no peers. */
export async function peer<T>(name: string): Promise<T> {
  return (await import(Bun.resolveSync(name, BENCH))) as T
}
