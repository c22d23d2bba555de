import { availableParallelism, cpus, platform, release, totalmem } from "node:os"
import manifest from "../../../package.json" with { type: "json" }
import peers from "../package.json" with { type: "json" }

/** Where and with what it was measured, in one line each. */
export function machine(): string[] {
  const node = Bun.spawnSync(["node", "--version"], { stdout: "pipe", stderr: "ignore" }).stdout.toString().trim()
  const { comlink, mitt } = manifest.dependencies
  return [
    `${cpus()[0]?.model ?? "unknown"}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GB, ${platform()} ${release()}`,
    `Bun ${Bun.version}, Node ${node || "none"}, OpenCode ${manifest.devDependencies["opencode-ai"]}, comlink ${comlink}, mitt ${mitt}`,
    Object.entries(peers.dependencies)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
  ]
}
