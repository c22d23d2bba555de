import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { cpuOf } from "../../../test/helpers/cpu-of.ts"
import { startOpenCode } from "../../../test/helpers/opencode.ts"
import { scripted } from "../../../test/helpers/opencode.ts"
import { BENCH } from "../harness/peers.ts"
import { pack } from "../../build/pack.ts"
import peers from "../package.json" with { type: "json" }
import type { Answer, Question } from "../harness/answer.ts"
import { verify } from "../harness/answer.ts"
import { halfSpread, inTurns, median, ms, spread, times } from "../harness/stats.ts"

const PEER = "oh-my-opencode"

/** How heavy is it to have? */
export const question: Question = {
  title: "What the package weighs, how long it takes to install, and what the plugin adds to OpenCode's start.",
  ask: ({ quick }) => ask(quick),
}

async function ask(quick: boolean): Promise<Answer> {
  const rounds = quick ? 1 : 3
  using undo = new DisposableStack()
  const packed = mkdtempSync(join(tmpdir(), "lanes-tarball-"))
  undo.defer(() => rmSync(packed, { recursive: true, force: true }))
  const { tarball, directory } = pack(packed, { types: true })
  const sizes: Record<string, { bytes: number; packages: number }> = {}
  const install = (name: string, spec: string) => (): number => {
    const folder = mkdtempSync(join(tmpdir(), "lanes-install-"))
    try {
      writeFileSync(
        join(folder, "package.json"),
        JSON.stringify({ name: "empty", private: true, dependencies: { [name]: spec } }),
      )
      const begun = performance.now()
      Bun.spawnSync([process.execPath, "install", "--silent", "--ignore-scripts"], {
        cwd: folder,
        stdout: "ignore",
        stderr: "ignore",
      })
      const took = performance.now() - begun
      sizes[name] = weigh(join(folder, "node_modules"))
      verify(readdirSync(join(folder, "node_modules", name)).includes("package.json"), `${name} was installed`)
      return took
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  const installs = await inTurns(
    { "opencode-lanes": install("opencode-lanes", `file:${tarball}`), [PEER]: install(PEER, peers.dependencies[PEER]) },
    rounds,
  )
  const starts = await inTurns(
    {
      "no plugin": () => firstAnswer([]),
      "opencode-lanes": () => firstAnswer([directory], "delegate_task"),
      [PEER]: () => firstAnswer([join(BENCH, "node_modules", PEER)], "background_output"),
    },
    quick ? 1 : 5,
    false,
  )
  const part = (name: string, of: keyof Start): number[] => (starts[name] ?? []).map((start) => start[of])
  const added = (name: string, of: keyof Start): number => median(part(name, of)) - median(part("no plugin", of))
  const shown = (name: string, of: keyof Start): string =>
    Math.abs(added(name, of)) < halfSpread(part(name, of)) ? "nothing that shows" : ms(added(name, of))
  const names = ["opencode-lanes", PEER]
  const size = (name: string): number => sizes[name]?.bytes ?? Number.NaN
  return {
    tables: [
      {
        title: "Installing it into an empty folder, packages in the client's cache",
        how: "`bun install` after a first one that does not count. Checked: the package is there.",
        head: ["", "on disk", "packages", "install"],
        rows: names.map((name) => [
          name,
          `${(size(name) / 1e6).toFixed(1)} MB`,
          String(sizes[name]?.packages),
          `${ms(median(installs[name] ?? []))} ${spread(installs[name] ?? [])}`,
        ]),
      },
      {
        title: "OpenCode from its start to the first answer",
        how: "`opencode serve` in a new home, a session, a prompt whose model answers at once, by turns. CPU time is the server's, and says more on a machine that does other things meanwhile. It ends when the model has answered; what is behind our tools begins to load then, and is not in it. An addition smaller than the spread is none that shows. Checked: the model was offered the plugin's tool, and the answer came.",
        head: ["", "start to answer", "least", "added", "CPU", "added"],
        rows: Object.keys(starts).map((name) => [
          name,
          `${ms(median(part(name, "wall")))} ${spread(part(name, "wall"))}`,
          ms(Math.min(...part(name, "wall"))),
          name === "no plugin" ? "–" : ms(added(name, "wall")),
          `${ms(median(part(name, "cpu")))} ${spread(part(name, "cpu"))}`,
          name === "no plugin" ? "–" : ms(added(name, "cpu")),
        ]),
      },
    ],
    goals: [
      {
        goal: "smaller on disk than the plugin peer",
        measured: times(size(PEER) / size("opencode-lanes")),
        reached: size("opencode-lanes") < size(PEER),
      },
      {
        goal: "adds less to OpenCode's start than the plugin peer",
        measured: `${shown("opencode-lanes", "cpu")} of CPU against ${shown(PEER, "cpu")}; ${shown("opencode-lanes", "wall")} against ${shown(PEER, "wall")} by the clock`,
        reached: added("opencode-lanes", "cpu") < added(PEER, "cpu"),
      },
    ],
    notes: [],
    plot: {
      title: "On disk after install",
      unit: "MB",
      log: true,
      bars: names.map((name) => ({ name, value: size(name) / 1e6, ours: name !== PEER })),
    },
  }
}

function weigh(folder: string): { bytes: number; packages: number } {
  let bytes = 0
  let packages = 0
  for (const path of new Bun.Glob("**/*").scanSync({ cwd: folder, dot: true, onlyFiles: true })) {
    bytes += statSync(join(folder, path)).size
    if (/(^|\/node_modules\/|^)(@[^/]+\/)?[^/@]+\/package\.json$/.test(path)) packages++
  }
  return { bytes, packages }
}

interface Start {
  readonly wall: number
  readonly cpu: number
}

async function firstAnswer(plugins: string[], tool?: string): Promise<Start> {
  const begun = performance.now()
  await using oc = await startOpenCode({
    plugins,
    env: { OMO_SEND_ANONYMOUS_TELEMETRY: "0", HTTPS_PROXY: "http://127.0.0.1:9", NO_PROXY: "127.0.0.1,localhost" },
  })
  const { data } = await oc.client.session.create({ title: "first" })
  await oc.client.session.promptAsync({
    sessionID: data?.id ?? "",
    model: { providerID: "acme", modelID: "fast" },
    parts: [{ type: "text", text: scripted("Say hello.", { id: "first", turns: [{ text: "hello" }] }) }],
  })
  await oc.model.waitFor(
    (calls) => calls.some(({ scriptId, endedAt }) => scriptId === "first" && endedAt !== undefined),
    { timeoutMs: 60_000 },
  )
  const took = { wall: performance.now() - begun, cpu: cpuOf(oc.server.pid) }
  const [call] = oc.model.calls("first")
  verify(
    tool === undefined || call?.tools.includes(tool) === true,
    `the model was offered ${tool}: ${call?.tools.join(", ")}`,
  )
  return took
}
