import { randomUUID } from "node:crypto"
import { fileURLToPath } from "node:url"
import { loadConfig } from "../adapters/config-file.ts"
import type { Config } from "../config.ts"
import { resolveOptions } from "../config.ts"
import { addAgents } from "./agents.ts"
import type { Desk } from "./desk.ts"
import { PluginHost } from "./host.ts"
import type { AnyPart, Hooks, HostConfig, PluginInput, PluginModule, TextPart, UserMessage } from "./host-shapes.ts"
import { NAME, VERSION } from "./identity.ts"
import { APART, rivalAdvice, rivalIn, USUAL } from "./names.ts"
import { stillAtWork, toldLate } from "./texts/notice.ts"
import { roomOf } from "./texts/room.ts"
import { seen } from "./texts/seen.ts"
import { toolbox } from "./tools/toolbox.ts"
import { asksForUltrawork, ultraworkText } from "./ultrawork.ts"

/** One per process and version: `server` is called per directory, and again whenever an instance is loaded anew. */
const SHARED: unique symbol = Symbol.for(`${NAME}@${VERSION}`) as never

function sharedHost(): PluginHost {
  const home = globalThis as { [SHARED]?: PluginHost }
  return (home[SHARED] ??= new PluginHost())
}

/** What the files and options set, or why they cannot be heeded. */
type Settings =
  | {
      readonly config: Config
      readonly agents: boolean
      readonly ultrawork: boolean
      readonly warnings: readonly string[]
      /** Files and options that set something. */
      readonly from: readonly string[]
    }
  | { readonly error: Error }

function settingsOf({ directory, worktree }: PluginInput, options: unknown): Settings {
  try {
    const over =
      options === undefined || options === null
        ? []
        : [{ source: 'the options in "plugin" of opencode.json', value: options }]
    const { config, warnings, layers } = loadConfig({ directory, ...(worktree === "" ? {} : { worktree }), over })
    const { agents, ultrawork } = resolveOptions(config)
    return { config, agents, ultrawork, warnings, from: layers.map(({ file }) => file) }
  } catch (thrown) {
    return { error: thrown instanceof Error ? thrown : new Error(String(thrown)) }
  }
}

async function server(input: PluginInput, options?: unknown): Promise<Hooks> {
  const host = sharedHost()
  const { directory } = input
  const settings = settingsOf(input, options)
  const leave = host.join(directory, input.client)
  if ("error" in settings) host.log.say(directory, "error", settings.error.message)
  else {
    for (const warning of settings.warnings) host.log.say(directory, "warn", warning)
    host.relimit(settings.config)
  }
  host.log.say(directory, "info", `${NAME} ${VERSION} loaded from ${fileURLToPath(import.meta.url)}`)

  let names = USUAL
  const deskOf = (config: HostConfig): Desk => ({
    directory,
    names,
    room: roomOf(config),
    turns: host.turns,
    open: async () => {
      if ("error" in settings) throw settings.error
      if (!host.transport.has(directory))
        throw new Error("This OpenCode instance is being reloaded: nothing was done. Try again in a few seconds.")
      host.log.flush()
      return host.open(directory, settings.config)
    },
  })
  /** Somebody has written here, and what is behind the tools was not started for it yet. */
  let wanted = false
  let tools = toolbox(deskOf({}))

  const hooks: Hooks = {
    tool: tools,

    async config(config: HostConfig) {
      const rival = rivalIn(config.plugin ?? [])
      if (rival !== undefined) host.log.say(directory, "warn", rivalAdvice(rival))
      names = rival === undefined ? USUAL : APART
      host.name(directory, names)
      tools = toolbox(deskOf(config))
      hooks.tool = tools
      if ("error" in settings) return
      if (settings.agents) addAgents(config)
      host.log.say(directory, "info", seen(directory, settings.config, settings.from, names))
    },

    async event({ event }) {
      host.events.take(event)
      if (!wanted || "error" in settings || !isPause(event)) return
      wanted = false
      // What an earlier process left behind is told when somebody is there again.
      host.open(directory, settings.config).catch(() => {})
    },

    async dispose() {
      leave()
    },

    async "chat.message"(_input, { message, parts }) {
      host.log.flush()
      wanted = !host.isOpen(directory)
      // Tasks' own sessions are nobody's conversation.
      if (host.opened?.coordinator.findBySession(message.sessionID) !== undefined) return
      host.turns.begin(message)
      const said = parts.filter(
        (part): part is TextPart => part.type === "text" && (part as TextPart).synthetic !== true,
      )
      if (said.length === 0) return
      const untold = host.untold(message.sessionID)
      if (untold.length > 0) add(message, parts, toldLate(untold, names))
      if ("error" in settings || !settings.ultrawork || !said.some(({ text }) => asksForUltrawork(text))) return
      add(message, parts, ultraworkText(names.delegate, names.output))
    },

    async "tool.definition"({ toolID }, output) {
      const tool = Object.hasOwn(tools, toolID) ? tools[toolID] : undefined
      if (tool !== undefined) output.jsonSchema = tool.schema
    },

    async "experimental.chat.system.transform"({ sessionID }, output) {
      const rows = sessionID === undefined ? [] : host.forgotten(sessionID)
      if (rows.length > 0) output.system.push(stillAtWork(rows, names))
    },

    async "experimental.session.compacting"({ sessionID }, output) {
      const rows = host.live(sessionID)
      if (rows.length > 0) output.context.push(stillAtWork(rows, names))
    },

    async "experimental.text.complete"({ sessionID }) {
      await host.hold(sessionID)
    },
  }
  // Not inside the start: the host's client answers only after it.
  if (!("error" in settings) && settings.config.page) {
    setTimeout(
      () =>
        void host
          .open(directory, settings.config)
          .catch((thrown: unknown) => host.log.say(directory, "warn", String(thrown))),
      0,
    )
  }
  return hooks
}

/**
 * The model has begun to answer, or the turn is over: time that is nobody's. The first prompt keeps OpenCode itself
 * loading for a second; what we load beside it would come late to the model.
 */
function isPause(event: unknown): boolean {
  const { type, properties } = event as { type?: string; properties?: { part?: { type?: string } } }
  return type === "session.idle" || (type === "message.part.updated" && properties?.part?.type === "step-start")
}

/** One more part of a user's message, which people do not see as theirs; parts are in the order of their ids. */
function add({ id: messageID, sessionID }: UserMessage, parts: AnyPart[], text: string): void {
  const last =
    parts
      .map(({ id }) => id)
      .toSorted()
      .at(-1) ?? ""
  const stamp = (BigInt(`0x${/^prt_([0-9a-f]{12})/.exec(last)?.[1] ?? "0"}`) + 1n).toString(16).padStart(12, "0")
  const id = `prt_${stamp}${randomUUID().replaceAll("-", "").slice(0, 14)}`
  const part: TextPart = { id, sessionID, messageID, type: "text", text, synthetic: true }
  parts.push(part)
}

const plugin: PluginModule = { id: NAME, server }

export default plugin
