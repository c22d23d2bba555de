/** An npm registry on the loopback that has one package in one version. */

import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { PackedPlugin } from "./packed-plugin.ts"

export interface StubRegistry extends Disposable {
  readonly url: string
  /** Paths that were asked for, in order. */
  readonly asked: readonly string[]
}

export function stubRegistry({ directory, tarball }: PackedPlugin): StubRegistry {
  const asked: string[] = []
  const bytes = readFileSync(tarball)
  const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as {
    name: string
    version: string
  }
  const { name, version } = manifest
  const file = `/${name}/-/${name}-${version}.tgz`
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const { origin, pathname } = new URL(request.url)
      asked.push(pathname)
      if (pathname === file) return new Response(bytes)
      if (pathname !== `/${name}`) return Response.json({ error: "not found" }, { status: 404 })
      const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`
      const dist = { tarball: `${origin}${file}`, integrity }
      return Response.json({ name, "dist-tags": { latest: version }, versions: { [version]: { ...manifest, dist } } })
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}/`,
    asked,
    [Symbol.dispose]: () => void server.stop(true),
  }
}
