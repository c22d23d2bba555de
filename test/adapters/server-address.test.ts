import { expect, test } from "bun:test"
import { httpTransport } from "../../src/adapters/http-transport.ts"
import { isServerAddress, shownAddress } from "../../src/adapters/server-address.ts"
import { chooseServer } from "../../src/cli/choose-server.ts"
import { createLanes } from "../../src/index.ts"

test.each([
  ["http://127.0.0.1:4096/", "http://127.0.0.1:4096"],
  ["HTTP://Example.org:80/base//", "http://example.org/base"],
  ["http://opencode:hunter2@127.0.0.1:4096", "http://127.0.0.1:4096"],
  ["opencode:hunter2@127.0.0.1:4096", "127.0.0.1:4096"],
  ["ws://opencode:hunter2@127.0.0.1:4096/x", "ws://127.0.0.1:4096/x"],
  ["http://opencode:hunt@er2@127.0.0.1:99999", "http://127.0.0.1:99999"],
  ["//me:hunter2@host", "//host"],
  ["4096", "4096"],
  ["", ""],
])("%p is shown as %p", (address, shown) => {
  expect(shownAddress(address)).toBe(shown)
})

test("servers speak HTTP", () => {
  expect(["http://a", "https://a:1/b", "ws://a", "a:1", "127.0.0.1:4096", ""].map(isServerAddress)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ])
})

test("a password in a wrong address is repeated nowhere", async () => {
  const server = "opencode:hunter2@127.0.0.1:4096"
  const refusals = [
    () => httpTransport({ baseUrl: server }),
    () => chooseServer(server, () => {}),
    () => chooseServer(undefined, () => {}, { env: { LANES_SERVER: server } }),
    () => createLanes({ server, configFiles: false, journal: "memory" }),
  ]
  for (const refusal of refusals) {
    const said = await new Promise((resolve) => resolve(refusal())).then(() => "", String)
    expect(said).toContain('"127.0.0.1:4096"')
    expect(said).not.toContain("hunter2")
  }
})
