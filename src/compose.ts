import { availableParallelism } from "node:os"
import { resolve } from "node:path"

import { InlineThreads } from "../workers/inline.ts"
import { createOpencodeSession } from "../workers/opencode-session.ts"
import { checkServer } from "./adapters/check-server.ts"
import { clientTransport } from "./adapters/client-transport.ts"
import { loadConfig } from "./adapters/config-file.ts"
import { httpTransport, passwordOf } from "./adapters/http-transport.ts"
import { openJournal } from "./adapters/open-journal.ts"
import type { JournalChoice } from "./adapters/open-journal.ts"
import { opencodeCatalog } from "./adapters/opencode-catalog.ts"
import { opencodeEvents } from "./adapters/opencode-events.ts"
import { superviseServer } from "./adapters/opencode-supervisor.ts"
import { randomIds } from "./adapters/random-ids.ts"
import { RecordedParent } from "./adapters/recorded-parent.ts"
import { hiding } from "./adapters/secrets.ts"
import { shownAddress } from "./adapters/server-address.ts"
import { SystemClock } from "./adapters/system-clock.ts"
import type { StreamingTransport } from "./adapters/wire-fetch.ts"
import type { Config } from "./config.ts"
import { parseConfig, resolveOptions } from "./config.ts"
import { Coordinator } from "./coordinator/coordinator.ts"
import type { Clock, EventSource, Parent, SessionApi, Threads } from "./coordinator/ports.ts"
import { LanesError } from "./core/errors.ts"
import type { Input, Now } from "./core/inputs.ts"
import type { Options } from "./core/options.ts"
import { checkCreate } from "./check-input.ts"
import { followEvents } from "./follow-events.ts"
import { Projects } from "./inherit.ts"
import { Lanes } from "./lanes.ts"
import type { Page } from "./page/server.ts"
import { Undoing } from "./undoing.ts"

export { tryWorker } from "../workers/try-worker.ts"

/** A server of ours: started on a free port of 127.0.0.1, with a random password, and stopped on close. */
export interface SpawnServer {
  readonly spawn: true
  /** The `opencode` program. Default: `OPENCODE_BIN`, the package's own, then the PATH. */
  readonly binary?: string
  /** Its whole environment. Default: ours. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Until it answers; ms, default 30 000. */
  readonly startTimeoutMs?: number
}

/** The OpenCode we live in, reached by a transport of the caller's; what runs in it ends with this process. */
export interface HostServer {
  readonly transport: StreamingTransport
  /** Names the server in rows. */
  readonly name: string
}

/** What a parent of the caller's own is made of. */
export interface ParentWorld {
  readonly transport: StreamingTransport
  readonly clock: Clock
}

export interface CreateOptions {
  /** Address of a running `opencode serve`, an SDK client, `{ spawn: true }`, or the host a plugin lives in. */
  readonly server: string | URL | SpawnServer | HostServer | object
  /** Where tasks work unless they say otherwise. Default: the current directory. */
  readonly directory?: string
  /** Of the server. Default: `OPENCODE_SERVER_PASSWORD`. */
  readonly password?: string
  /** Wins over the configuration files. */
  readonly config?: Config
  /** Read the configuration files. Default true. */
  readonly configFiles?: boolean
  /**
   * Where rows are kept. Default: a file in the user's state folder, from which a restart goes on and which `lanes list`
   * reads. `{ folder }`: in another folder; `"memory"`: as long as the process; `false`: nowhere.
   */
  readonly journal?: JournalChoice
  /** How parents are told. Default: they are not, the bus says it all. */
  readonly parent?: Parent | ((world: ParentWorld) => Parent)
  /** Listen to the server's events, which make everything faster; or a source of the host's own. Default true. */
  readonly events?: boolean | EventSource
  /** What an unset `recover` means here. Default `resume`. */
  readonly recover?: Options["recover"]
  /** `workers` where the host has them (Bun), else `inline`. */
  readonly threads?: "workers" | "inline"
  /** Where the worker's file is, when your app is bundled: `opencode-lanes/worker`. */
  readonly workerUrl?: string | URL
  /**
   * Serve the live page of this handle on 127.0.0.1; its address goes to `log`, and `lanes.page` makes links. A port that is
   * taken refuses the start; with `optional` it goes on without the page, and `log` says so.
   */
  readonly page?: boolean | { readonly port?: number; readonly optional?: boolean }
  /** Hears of what cannot be thrown: odd configuration, missing workers. */
  readonly log?: (message: string) => void
  /** Sees every input of the core with its time: a recorded log replays. @internal */
  readonly record?: (input: Input, now: Now) => void
}

/**
 * Connects to an OpenCode server and starts a coordinator for it: the one place where real adapters meet.
 *
 * Rejects with a LanesError: CONFIG_INVALID, SERVER_UNREACHABLE, SERVER_AUTH, SERVER_NOT_OPENCODE, SERVER_TIMEOUT,
 * BINARY_MISSING, JOURNAL_FAILED.
 */
export async function createLanes(options: CreateOptions): Promise<Lanes> {
  return (await compose(options)).lanes
}

/** All of it, for front ends that do more than a handle can. */
export interface Composed {
  readonly lanes: Lanes
  readonly coordinator: Coordinator
  readonly api: SessionApi
  readonly clock: Clock
  /**
   * Looks after one more project: takes over what dead coordinators left there, and keeps its tasks where the next one
   * looks for them. Tasks of a directory nobody joined are kept with our own. Rejects with JOURNAL_FAILED.
   */
  readonly join: (directory: string) => Promise<void>
}

/** The same as `createLanes`, with what the handle stands on; `abort` gives up starting a server. */
export async function compose(options: CreateOptions, abort?: AbortSignal): Promise<Composed> {
  checkCreate(options)
  const directory = resolve(options.directory ?? process.cwd())
  const { config, warnings } = configOf(options, directory)
  const resolved = resolveOptions(config, {
    cores: availableParallelism(),
    ...(options.recover === undefined ? {} : { recover: options.recover }),
  })
  const undoing = new Undoing()
  let page: Page | undefined
  let giveUp = (): Promise<void> => undoing.all()
  try {
    const clock = new SystemClock()
    undoing.add(() => clock[Symbol.dispose]())
    const connection = await connect(options, directory, abort)
    undoing.add(() => connection.close())
    await checkServer(connection.transport, { at: connection.name })
    const threads = await threadsOf(options, resolved.options, connection.transport, clock)
    const api = createOpencodeSession({
      fetch: (request, signal) => connection.transport.fetch(request, signal),
      clock,
    })
    const { name, ours } = connection
    const hide = hiding([connection.secret])
    const log = (message: string): void => options.log?.(hide(message))
    const ready = await openJournal(options.journal, {
      directory,
      server: name,
      hosted: ours,
      retainMs: resolved.options.retainMs,
      log,
      hide,
    })
    let handedOn = false
    undoing.add(() => handedOn || ready.journal.close())
    const coordinator = new Coordinator(resolved.options, {
      clock,
      ids: randomIds,
      threads,
      journal: ready.journal,
      parent: parentOf(options.parent, { transport: connection.transport, clock }),
      api,
      ...(options.record === undefined ? {} : { record: options.record }),
    })
    connection.onRestart(() => coordinator.feed({ type: "server-restarted" }))
    if (options.events !== false)
      undoing.add(followEvents(coordinator, eventsOf(options.events, connection.transport, clock), clock))
    for (const warning of warnings) log(warning)
    const lanes: Lanes = new Lanes({
      coordinator,
      catalog: opencodeCatalog({ transport: connection.transport, clock }),
      api,
      directory,
      server: name,
      detach: ready.file !== undefined && !ours,
      warnings,
      page: () => page,
      dispose: () => undoing.all(),
    })
    handedOn = true
    giveUp = () => lanes.close()
    // Before anything is taken over: a start that fails leaves what it found to the next one.
    page = await openPage(options, lanes, directory, resolved.options.retainMs)
    undoing.add(() => page?.close())
    const projects = new Projects({ journal: ready, coordinator, api, lanes })
    undoing.add(() => projects[Symbol.dispose]())
    return { lanes, coordinator, api, clock, join: (at) => projects.join(at) }
  } catch (thrown) {
    // What went wrong first is what the caller must hear.
    await giveUp().catch(() => {})
    throw thrown
  }
}

/** Loaded only when asked for: most hosts never show it. */
async function openPage(
  { page, log }: CreateOptions,
  lanes: Lanes,
  directory: string,
  retainMs: number,
): Promise<Page | undefined> {
  if (!page) return undefined
  const { port = 0, optional = false } = page === true ? {} : page
  const { servePage } = await import("./page/server.ts")
  try {
    const served = await servePage(lanes, { port, directory, retainMs })
    log?.(`The page is at ${served.link()}`)
    return served
  } catch (thrown) {
    const sentence = `The page cannot listen on port ${port}: ${messageOf(thrown)}.`
    const hint = "Choose another port, or 0 for any free one."
    if (!optional) throw new LanesError("INVALID_INPUT", sentence, hint)
    log?.(`${sentence} ${hint}`)
    return undefined
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

function configOf(options: CreateOptions, directory: string): { config: Config; warnings: readonly string[] } {
  const source = "createLanes({ config })"
  if (options.configFiles === false)
    return { config: parseConfig(options.config ?? {}, { file: source }), warnings: [] }
  return loadConfig({ directory, over: options.config === undefined ? [] : [{ source, value: options.config }] })
}

interface Connection {
  readonly transport: StreamingTransport
  /** Names the server in rows. */
  readonly name: string
  /** Its password, where we know it. */
  readonly secret?: string | undefined
  /** Started by us: what runs in it ends with us. */
  readonly ours: boolean
  onRestart(callback: () => void): void
  close(): Promise<void>
}

async function connect(options: CreateOptions, directory: string, signal?: AbortSignal): Promise<Connection> {
  const { server, password } = options
  if (typeof server === "string" || server instanceof URL) {
    const baseUrl = String(server)
    const transport = httpTransport({ baseUrl, password })
    const secret = passwordOf(baseUrl, password)
    return { transport, name: shownAddress(baseUrl), secret, ours: false, onRestart: () => {}, close: async () => {} }
  }
  if (isSpawn(server)) return spawnServer(server, password, directory, signal)
  if (isHost(server)) return { ...server, ours: true, onRestart: () => {}, close: async () => {} }
  const transport = clientTransport(server)
  return { transport, name: shownAddress(transport.baseUrl), ours: false, onRestart: () => {}, close: async () => {} }
}

function isSpawn(server: unknown): server is SpawnServer {
  return typeof server === "object" && server !== null && "spawn" in server && server.spawn === true
}

function isHost(server: object): server is HostServer {
  return "transport" in server && "name" in server && typeof server.name === "string"
}

function parentOf(parent: CreateOptions["parent"], world: ParentWorld): Parent {
  return typeof parent === "function" ? parent(world) : (parent ?? new RecordedParent())
}

function eventsOf(events: true | EventSource | undefined, transport: StreamingTransport, clock: Clock): EventSource {
  return typeof events === "object" ? events : opencodeEvents({ transport, clock })
}

async function spawnServer(
  spawn: SpawnServer,
  password: string | undefined,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<Connection> {
  let restarted = (): void => {}
  const server = await superviseServer({
    cwd: directory,
    ...(spawn.binary === undefined ? {} : { binary: spawn.binary }),
    ...(spawn.env === undefined ? {} : { env: { ...spawn.env } }),
    ...(spawn.startTimeoutMs === undefined ? {} : { startTimeoutMs: spawn.startTimeoutMs }),
    ...(password === undefined ? {} : { password }),
    ...(signal === undefined ? {} : { signal }),
    onBack: () => restarted(),
  })
  return {
    transport: httpTransport({ baseUrl: server.url, password: server.password }),
    name: server.url,
    secret: server.password,
    ours: true,
    onRestart: (callback) => (restarted = callback),
    close: () => server.stop(),
  }
}

async function threadsOf(
  options: CreateOptions,
  resolved: Options,
  transport: StreamingTransport,
  clock: Clock,
): Promise<Threads> {
  const able = typeof Bun !== "undefined" && typeof Worker !== "undefined"
  if ((options.threads ?? (able ? "workers" : "inline")) === "inline") {
    if (options.threads === undefined)
      options.log?.("This host has no Web Workers for us: runs are driven on the main thread.")
    return new InlineThreads({ transport, clock })
  }
  if (!able) throw new LanesError("INVALID_INPUT", "Workers need Bun.", 'Run this with Bun, or say threads: "inline".')
  const { WorkerPool } = await import("../workers/pool.ts")
  const { maxWorkers, isolation } = resolved
  return new WorkerPool({
    transport,
    clock,
    maxWorkers,
    isolation,
    ...(options.workerUrl === undefined ? {} : { workerUrl: options.workerUrl }),
  })
}
