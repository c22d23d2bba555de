import { readFileSync } from "node:fs"
import { availableParallelism, cpus, platform, release, totalmem } from "node:os"
import { join, resolve } from "node:path"
import peers from "../package.json" with { type: "json" }

/** Where and with what it was measured, in one line each. */
export function machine(): string[] {
  const node = Bun.spawnSync(["node", "--version"], { stdout: "pipe", stderr: "ignore" }).stdout.toString().trim()
  return [
    `${cpus()[0]?.model ?? "unknown"}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GB, ${platform()} ${release()}`,
    `Bun ${Bun.version}, Node ${node || "none"}, OpenCode ${installed("opencode-ai")}, comlink ${installed("comlink")}, mitt ${installed("mitt")}`,
    Object.entries(peers.dependencies)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
  ]
}

const ROOT = resolve(import.meta.dir, "../../..")

function installed(name: string): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8")) as {
    version: string
  }
  return version
}
