/** Kills a host at random points of random load on a living OpenCode, again and again, and counts what is left. */

import type { OpencodeClient } from "@opencode-ai/sdk/v2/client"

import { journalsIn } from "../../src/adapters/journal-files.ts"
import { sqliteLibrary } from "../../src/adapters/sqlite-library.ts"
import { projectFolder } from "../../src/adapters/state-folder.ts"
import type { ScriptedModel, ScriptedTurn } from "../../src/cli/demo/scripted-model.ts"
import { scripted } from "../../src/cli/demo/scripted-model.ts"
import type { TaskRow } from "../../src/index.ts"
import { HostProcess } from "./host-process.ts"
import type { HostFact, HostOptions } from "./host-words.ts"

export interface KillWorld extends Omit<HostOptions, "folder" | "config"> {
  readonly client: OpencodeClient
  readonly model: ScriptedModel
  /** Of the journals. */
  readonly folder: string
}

export interface KillOptions {
  readonly rounds: number
  readonly limit: number
  /** Most launches of a round. */
  readonly launches: number
  readonly seed: number
  readonly onRound?: (round: RoundReport) => void
}

export interface RoundReport {
  readonly round: number
  readonly killedAfterMs: number
  readonly acknowledged: number
  /** Tasks found again by the next host, and how long it took to be ready. */
  readonly found: number
  readonly readyMs: number
  readonly integrity: string
}

/** What must hold, and what was counted. */
export interface KillReport {
  readonly rounds: readonly RoundReport[]
  readonly launched: number
  readonly continued: number
  readonly cancelled: number
  readonly tasks: number
  /** Sentences; empty when all held. */
  readonly broken: readonly string[]
  readonly peak: number
  readonly ends: Readonly<Record<string, number>>
}

/** What was acknowledged, over all rounds. */
interface Ledger {
  /** Script → task. */
  readonly launched: Map<string, string>
  /** Script of a further epoch → task and epoch. */
  readonly continued: Map<string, { id: string; epoch: number }>
  readonly cancelled: Set<string>
  readonly settled: Map<string, string>
}

export async function killRounds(world: KillWorld, options: KillOptions): Promise<KillReport> {
  const { rounds, limit, launches, seed } = options
  const dice = new Dice(seed)
  const ledger: Ledger = { launched: new Map(), continued: new Map(), cancelled: new Set(), settled: new Map() }
  const reports: RoundReport[] = []
  const parents: string[] = []
  const hostOptions: HostOptions = {
    url: world.url,
    password: world.password,
    directory: world.directory,
    folder: world.folder,
    config: { defaultConcurrency: limit },
  }
  let scripts = 0
  const nextScript = (): string => `kill${seed}-${(scripts += 1)}`

  for (let round = 1; round <= rounds; round++) {
    await using host = new HostProcess(hostOptions)
    const { ms, tasks } = await host.until("ready")
    const parent = await newParent(world)
    parents.push(parent)
    const killedAfterMs = dice.below(2_500)
    const until = performance.now() + killedAfterMs
    for (let launch = 0; launch < launches && performance.now() < until; launch++) {
      const script = nextScript()
      host.order({
        type: "launch",
        script,
        prompt: scripted(`Play ${script}`, { id: script, turns: turns(dice) }),
        parent,
      })
      if (dice.below(6) === 0) cancelOne(host, ledger, dice)
      if (dice.below(5) === 0) continueOne(host, ledger, dice, nextScript)
      await Bun.sleep(Math.min(dice.below(250), Math.max(0, until - performance.now())))
    }
    await Bun.sleep(Math.max(0, until - performance.now()))
    await host.kill()
    note(host.facts, ledger)
    const integrity = await checkFiles(world)
    const report = {
      round,
      killedAfterMs,
      acknowledged: ledger.launched.size,
      found: tasks,
      readyMs: Math.round(ms),
      integrity,
    }
    reports.push(report)
    options.onRound?.(report)
  }

  await using last = new HostProcess(hostOptions)
  await last.until("ready")
  const rows = await settledRows(last)
  note(last.facts, ledger)
  const broken = await examine(world, ledger, rows, parents, `kill${seed}-`, limit)
  for (const { round, integrity } of reports)
    if (integrity !== "ok") broken.push(`after round ${round} the journal says: ${integrity}`)
  await last.ask({ type: "close" }, "closed")
  return {
    rounds: reports,
    launched: ledger.launched.size,
    continued: ledger.continued.size,
    cancelled: ledger.cancelled.size,
    tasks: rows.length,
    broken,
    peak: world.model.peak((call) => call.scriptId?.startsWith(`kill${seed}-`) === true),
    ends: Object.fromEntries(
      Object.entries(Object.groupBy(rows, (row) => row.outcome?.reason ?? row.state)).map(([reason, of]) => [
        reason,
        of?.length ?? 0,
      ]),
    ),
  }
}

/** Every task is settled and its parent told. */
async function settledRows(host: HostProcess): Promise<readonly TaskRow[]> {
  for (const until = performance.now() + 240_000; ;) {
    const { rows } = await host.ask({ type: "rows" }, "rows")
    if (rows.every((row) => row.settledAt !== undefined && row.outcome !== undefined && row.notice.state !== "owed"))
      return rows
    if (performance.now() > until) return rows
    await Bun.sleep(200)
  }
}

async function examine(
  world: KillWorld,
  ledger: Ledger,
  rows: readonly TaskRow[],
  parents: readonly string[],
  prefix: string,
  limit: number,
): Promise<string[]> {
  const broken: string[] = []
  const byId = new Map(rows.map((row) => [row.id, row]))
  for (const [script, id] of ledger.launched) {
    const row = byId.get(id)
    if (row === undefined) broken.push(`${id} (${script}) was acknowledged and is lost`)
    else if (row.outcome === undefined) broken.push(`${id} (${script}) is still ${row.state}`)
    else if (row.state === "error")
      broken.push(`${id} (${script}) ended in ${row.outcome.reason}: ${row.outcome.sentence}`)
    else if (row.state === "cancelled" && !ledger.cancelled.has(id) && row.epoch === 1 && !isRequested(ledger, id))
      broken.push(`${id} (${script}) was cancelled by nobody`)
  }
  for (const [script, { id, epoch }] of ledger.continued) {
    if ((byId.get(id)?.epoch ?? 0) < epoch)
      broken.push(`epoch ${epoch} of ${id} (${script}) was acknowledged and is lost`)
  }
  const { data: sessions = [] } = await world.client.session.list({ limit: 10_000 })
  for (const row of rows) {
    const own = sessions.filter(({ metadata }) => taskIn(metadata) === row.id)
    if (own.length > 1) broken.push(`${row.id} has ${own.length} sessions`)
    if (own.length === 0 && row.state === "completed") broken.push(`${row.id} is completed without a session`)
    for (const { id } of own) {
      const { data: messages = [] } = await world.client.session.messages({ sessionID: id, limit: 1_000 })
      const asked = messages.filter(({ info }) => info.role === "user").map(({ info }) => info.id.slice(-14))
      for (const { n, tail } of row.prompts) {
        const times = asked.filter((each) => each === tail).length
        if (times > 1) broken.push(`prompt ${n} of ${row.id} was given ${times} times`)
      }
    }
  }
  for (const { id } of sessions.filter(
    ({ metadata }) => taskIn(metadata) !== undefined && !byId.has(String(taskIn(metadata))),
  )) {
    broken.push(`session ${id} belongs to no task`)
  }
  for (const script of [...ledger.launched.keys(), ...ledger.continued.keys()]) {
    const first = world.model.calls(script).filter(({ key }) => key === `${script}/turn/0`)
    if (first.length > 1) broken.push(`the model was asked for the first turn of ${script} ${first.length} times`)
  }
  await countNotices(world, rows, parents, broken)
  const ours = (call: { scriptId: string | undefined }): boolean => call.scriptId?.startsWith(prefix) === true
  await world.model
    .waitFor(() => world.model.inFlight(ours) === 0, { timeoutMs: 5_000 })
    .catch(() => {
      broken.push(`${world.model.inFlight(ours)} calls go on at the model though every task is over`)
    })
  const peak = world.model.peak(ours)
  if (peak > limit) broken.push(`${peak} at once at the model, the limit is ${limit}`)
  return broken
}

async function countNotices(
  world: KillWorld,
  rows: readonly TaskRow[],
  parents: readonly string[],
  broken: string[],
): Promise<void> {
  const told = new Map<string, number>()
  for (const parent of parents) {
    const { data: messages = [] } = await world.client.session.messages({ sessionID: parent, limit: 10_000 })
    for (const { info, parts } of messages) {
      if (info.role !== "user") continue
      for (const part of parts) {
        if (part.type === "text" && part.text.startsWith("told ")) told.set(part.text, (told.get(part.text) ?? 0) + 1)
      }
    }
  }
  for (const [notice, times] of told) if (times > 1) broken.push(`"${notice}" was said ${times} times`)
  for (const { id, epoch, notice } of rows) {
    if (notice.state === "owed" || notice.state === "dead") broken.push(`the notice of ${id} is ${notice.state}`)
    if (notice.state === "told" && told.get(`told ${id} ${epoch}`) !== 1)
      broken.push(`${id} counts as told, and its parent does not know`)
  }
}

/** A cancel was asked for whose answer the kill has swallowed. */
function isRequested(ledger: Ledger, id: string): boolean {
  return requested.get(ledger)?.has(id) === true
}

const requested = new WeakMap<Ledger, Set<string>>()

function cancelOne(host: HostProcess, ledger: Ledger, dice: Dice): void {
  const live = host.facts.flatMap((fact) => (fact.type === "launched" ? [fact.id] : []))
  const id = live[dice.below(live.length)]
  if (id === undefined) return
  const asked = requested.get(ledger) ?? new Set()
  requested.set(ledger, asked.add(id))
  host.order({ type: "cancel", id })
}

function continueOne(host: HostProcess, ledger: Ledger, dice: Dice, nextScript: () => string): void {
  const over = [...ledger.settled].flatMap(([id, state]) => (state === "completed" ? [id] : []))
  const id = over[dice.below(over.length)]
  if (id === undefined) return
  const script = nextScript()
  host.order({ type: "continue", id, script, prompt: scripted(`Play ${script}`, { id: script, turns: turns(dice) }) })
}

function note(facts: readonly HostFact[], ledger: Ledger): void {
  for (const fact of facts) {
    if (fact.type === "launched") ledger.launched.set(fact.script, fact.id)
    if (fact.type === "continued") ledger.continued.set(fact.script, fact)
    if (fact.type === "cancelled") ledger.cancelled.add(fact.id)
    if (fact.type === "settled") ledger.settled.set(fact.id, fact.state)
  }
}

/** A conversation that answers every notice with a word. */
async function newParent({ client }: KillWorld): Promise<string> {
  const { data, error } = await client.session.create({ title: "parent" })
  if (data === undefined) throw new Error(`No parent session: ${JSON.stringify(error)}`)
  return data.id
}

async function checkFiles({ folder, directory }: KillWorld): Promise<string> {
  const open = await sqliteLibrary()
  if (open === undefined) throw new Error("This host has no SQLite.")
  const results = journalsIn(projectFolder(folder, directory)).map((file) => {
    const sql = open(file, { readonly: true })
    const result = String(sql.prepare("PRAGMA integrity_check").get()?.["integrity_check"])
    sql.close()
    return result
  })
  return [...new Set(results)].join(", ") || "no file"
}

function taskIn(metadata: unknown): unknown {
  const entry =
    typeof metadata === "object" && metadata !== null
      ? (metadata as Record<string, unknown>)["opencode-lanes"]
      : undefined
  return typeof entry === "object" && entry !== null ? (entry as { task?: unknown }).task : undefined
}

function turns(dice: Dice): ScriptedTurn[] {
  const stream = (): ScriptedTurn => ({ stream: { chunks: 2 + dice.below(20), everyMs: 50 } })
  const tool = (): ScriptedTurn => ({ wait: dice.below(300), tools: [{ name: "grep", args: { pattern: "login" } }] })
  return [
    ...Array.from({ length: dice.below(3) }, () => (dice.below(2) === 0 ? tool() : { ...tool(), ...stream() })),
    stream(),
  ]
}

/** Numbers that look random and are the same for a seed. */
class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1
  }

  /** A whole number from 0 to n − 1. */
  below(n: number): number {
    // xorshift32
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return n <= 0 ? 0 : (this.#state >>> 0) % n
  }
}
