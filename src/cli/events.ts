/** `lanes events`: what happened, and what happens, in coordinators of other processes. */

import { defineCommand } from "citty"
import type { CommandDef } from "citty"
import parseDuration from "parse-duration"
import type { JournalReader, StoredEvent } from "../adapters/journal-reader.ts"
import { canonical } from "../adapters/state-folder.ts"
import type { LaneEvent } from "../core/events.ts"
import { onInterrupt } from "./interrupt.ts"
import type { Interrupt } from "./interrupt.ts"
import { Journals, placed } from "./journals.ts"
import { printable } from "./output/columns.ts"
import { UsageError } from "./output/errors.ts"
import { EXIT } from "./output/exit-codes.ts"
import { directoryOf } from "./task-options.ts"

const args = {
  follow: { type: "boolean", description: "Go on with what happens from now on" },
  since: {
    type: "string",
    description: "Only what is not older; 10m, 2h or a date. Default: all, with --follow nothing",
    valueHint: "time",
  },
  all: { type: "boolean", description: "Of all projects, not of this folder's alone" },
  dir: { type: "string", description: "Of another project", valueHint: "folder" },
  json: { type: "boolean", description: "One JSON object per event" },
} as const

const LOOK_MS = 100
/** Coordinators come and go. */
const RESCAN_MS = 2_000
const PAGE = 500

export const events: CommandDef<typeof args> = defineCommand({
  meta: { name: "events", description: "Print what happened to tasks, and what happens" },
  args,
  run: async ({ args: { follow, since, all, dir, json } }) => {
    const from = since === undefined ? undefined : momentOf(since)
    const directory = all === true ? undefined : canonical(directoryOf(dir))
    const show = (event: LaneEvent): void =>
      void process.stdout.write(`${json === true ? JSON.stringify(event) : lineOf(event)}\n`)
    using interrupt = onInterrupt()
    const places = new Map<string, number>()
    let isFirst = true
    // Who comes while we follow is heard from the beginning.
    const start = (reader: JournalReader): number =>
      from === undefined ? (follow === true && isFirst ? reader.place() : 0) : reader.place(from)
    do {
      using journals = await Journals.open(isFirst ? undefined : () => {})
      const isOf = placed(directory)
      journals.each((reader) => {
        if (!places.has(reader.file)) places.set(reader.file, start(reader))
      })
      isFirst = false
      const until = performance.now() + RESCAN_MS
      do {
        for (const event of news(journals, places, isOf)) show(event)
        if (follow === true) await pause(interrupt)
      } while (follow === true && performance.now() < until && !interrupt.signal.aborted)
    } while (follow === true && !interrupt.signal.aborted)
    return EXIT.ok
  },
})

/** What is new in all of them, in the order of time. */
function news(journals: Journals, places: Map<string, number>, isOf: ReturnType<typeof placed>): LaneEvent[] {
  const found: LaneEvent[] = []
  journals.each((reader) => {
    for (let page: StoredEvent[] = []; ;) {
      page = reader.events(places.get(reader.file) ?? 0, PAGE)
      for (const { n, event } of page) {
        places.set(reader.file, n)
        if (isOf(reader, event)) found.push(event)
      }
      if (page.length < PAGE) break
    }
  })
  return found.sort((a, b) => a.at - b.at)
}

function pause({ signal }: Interrupt): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, LOOK_MS)
    signal.addEventListener("abort", end, { once: true })
    function end(): void {
      clearTimeout(timer)
      signal.removeEventListener("abort", end)
      resolve()
    }
  })
}

/** Epoch ms of `10m` ago, or of a date. */
function momentOf(text: string): number {
  const ago = /[a-z]/i.test(text) && /^[\d.\s]+[a-z]/i.test(text) && !text.includes("T") ? parseDuration(text) : null
  if (ago !== null && Number.isFinite(ago)) return Date.now() - ago
  const date = Date.parse(text)
  if (!Number.isNaN(date)) return date
  throw new UsageError(`--since: expected a time such as 10m or 2h, or a date, got "${text}".`)
}

function lineOf(event: LaneEvent): string {
  const { type, at, seq: _seq, ...rest } = event
  const facts = Object.entries(rest).map(
    ([key, value]) => `${key}=${printable(typeof value === "string" ? value : JSON.stringify(value))}`,
  )
  return `${new Date(at).toISOString().slice(11, 23)} ${type} ${facts.join(" ")}`
}
