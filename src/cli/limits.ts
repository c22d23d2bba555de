/** `lanes limits`: the lanes of running coordinators, and their limits changed while tasks run. */

import { availableParallelism } from "node:os"

import { defineCommand } from "citty"
import type { CommandDef } from "citty"
import { loadConfig } from "../adapters/config-file.ts"
import { resolveOptions } from "../config.ts"
import { JournalSource } from "./journal-source.ts"
import { print } from "./journals.ts"
import { colorsFor } from "./output/colors.ts"
import { fit, printable } from "./output/columns.ts"
import { laneBar } from "./output/lane-bar.ts"
import { directoryOf, limitsOf } from "./task-options.ts"

const args = {
  limits: {
    type: "positional",
    required: false,
    description: "Slots from now on, such as 4,anthropic=3; 0 = unlimited. Left out: shows those there are",
  },
  dir: { type: "string", description: "Of another project", valueHint: "folder" },
} as const

export const limits: CommandDef<typeof args> = defineCommand({
  meta: { name: "limits", description: "Show the lanes, or change their limits while tasks run" },
  args,
  run: async ({ args: { limits: wanted, dir } }) => {
    const directory = directoryOf(dir)
    const changes = wanted === undefined ? undefined : limitsOf(wanted, "lanes limits")
    const { options } = resolveOptions(loadConfig({ directory, over: [] }).config, { cores: availableParallelism() })
    using source = await JournalSource.open(directory, options)
    if (changes !== undefined) await source.setLimits(changes)
    const lanes = source.usage()
    const wide = Math.max(...lanes.map(({ lane }) => printable(lane).length))
    const colors = colorsFor(process.stdout)
    return print(lanes.map((lane) => `${fit(printable(lane.lane), wide)}  ${laneBar(lane, colors)}`).join("\n"))
  },
})
