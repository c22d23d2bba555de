/** `lanes watch`: this project's tasks in the terminal, live, whoever coordinates them. */

import { availableParallelism } from "node:os"
import { basename } from "node:path"
import { defineCommand } from "citty"
import type { CommandDef } from "citty"
import { loadConfig } from "../adapters/config-file.ts"
import { resolveOptions } from "../config.ts"
import type { Source } from "../page/source.ts"
import { onInterrupt } from "./interrupt.ts"
import type { Interrupt } from "./interrupt.ts"
import { JournalSource } from "./journal-source.ts"
import { canRepaint, colorsFor } from "./output/colors.ts"
import { EXIT } from "./output/exit-codes.ts"
import { PlainReporter } from "./output/plain-reporter.ts"
import { directoryOf } from "./task-options.ts"
import { FullScreen } from "./watch/full-screen.ts"
import { keysOf } from "./watch/keys.ts"
import { WatchModel } from "./watch/model.ts"
import { watchLines } from "./watch/view.ts"

const args = {
  all: { type: "boolean", description: "Tasks of all projects, not of this folder's alone" },
  dir: { type: "string", description: "Of another project", valueHint: "folder" },
} as const

/** Clocks run in tenths of a second for the first minute; more often nobody sees. */
const REPAINT_MS = 250

export const watch: CommandDef<typeof args> = defineCommand({
  meta: { name: "watch", description: "Watch tasks in the terminal, live" },
  args,
  run: async ({ args: { all, dir } }) => {
    const directory = directoryOf(dir)
    const { options } = resolveOptions(loadConfig({ directory, over: [] }).config, { cores: availableParallelism() })
    using interrupt = onInterrupt()
    using source = await JournalSource.open(all === true ? undefined : directory, options)
    const able = canRepaint(process.stdout) && process.stdin.isTTY
    await (able
      ? paint(source, all === true ? "all projects" : basename(directory), interrupt)
      : tell(source, interrupt))
    return interrupt.exitCode ?? EXIT.ok
  },
})

/** The whole terminal, until `q`. */
async function paint(source: Source, title: string, { signal }: Interrupt): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const colors = colorsFor(process.stdout)
  const repaint = (): void => {
    if (model.mode === "over") return resolve()
    model.follow()
    screen.paint(watchLines(model, { ...screen.size, now: Date.now(), colors, title }))
  }
  const model = new WatchModel(source, () => repaint())
  using screen = new FullScreen(process.stdout, process.stdin, (input) => {
    for (const key of keysOf(input)) model.press(key)
  })
  const timer = setInterval(repaint, REPAINT_MS)
  const ended = (): void => resolve()
  process.stdout.on("resize", repaint)
  signal.addEventListener("abort", ended)
  repaint()
  if (signal.aborted) resolve()
  await promise
  clearInterval(timer)
  process.stdout.off("resize", repaint)
  signal.removeEventListener("abort", ended)
}

/** A line for each thing that happens, until a signal. */
async function tell(source: JournalSource, { signal }: Interrupt): Promise<void> {
  using reporter = new PlainReporter(process.stdout)
  reporter.follow(source)
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }))
}
