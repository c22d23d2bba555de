/**
 * The script a prompt carries for the scripted model, and the choice of the turn to play next.
 *
 * The choice reads nothing but the conversation the provider is sent, so it survives restarts and
 * forks; a summary carries the script and its progress over a compaction. Walking the messages after
 * the newest script:
 *
 *   turns[0] → turns[1] → … → (turns played) ─ no newer user message ─→ beyond
 *                                            └ a newer user message ──→ onPrompt[0] → onPrompt[1] → … → quote it
 *
 * A user message that arrives while `turns` are still being played changes nothing: the list goes on.
 */

/** One tool call of a turn. String arguments may hold placeholders, see {@link fill}. */
export interface ScriptedTool {
  name: string
  args: Record<string, unknown>
}

/** Token counts reported for a turn. */
export interface ScriptedUsage {
  in: number
  out: number
}

/**
 * One provider call. The faults `status`, `hang` and `empty` strike `times` times per script id and
 * turn (for ever when unset); after that the same turn is played as an ordinary one.
 */
export interface ScriptedTurn {
  /** Milliseconds before the first byte. */
  wait?: number
  text?: string
  reasoning?: string
  /** The text (or made-up words) in so many pieces, one every so many milliseconds. */
  stream?: { chunks: number; everyMs: number }
  /** Several are called in parallel. */
  tools?: ScriptedTool[]
  /** Default `tool_calls` with tools, else `stop`. `null`: the stream ends without a finish reason. */
  finish?: "stop" | "length" | "tool_calls" | "content_filter" | null
  /** Answer with this HTTP status instead. */
  status?: number
  /** Seconds, sent as `retry-after` with `status`. */
  retryAfter?: number
  /** Error message sent with `status`. */
  message?: string
  /** Say nothing until the client leaves. */
  hang?: boolean
  /** A well-formed answer without content. */
  empty?: boolean
  times?: number
  usage?: ScriptedUsage
}

/** What one conversation is to do. */
export interface Script {
  /** Names the conversation in the log. */
  id: string
  turns: ScriptedTurn[]
  /** Played for user messages that come after `turns`; when used up, the message is quoted. */
  onPrompt?: ScriptedTurn[]
  /** Played when asked again after `turns` with nothing new. Default: the text "ok". */
  beyond?: ScriptedTurn
  /** Played when OpenCode asks for a summary of the conversation; the script itself is carried over. */
  onSummary?: ScriptedTurn
}

/** A message as the model sees it, its content flattened to text. */
export interface ModelMessage {
  role: string
  text: string
}

/** The turn to play and its name for counting faults. */
export interface ChosenTurn {
  turn: ScriptedTurn
  key: string
}

/** Where a script stands: turns and prompt turns already played, and whether a prompt is waiting. */
export interface Progress {
  played: number
  prompted: boolean
  answered: number
}

interface CarriedScript extends Script {
  progress?: Progress
}

const MARKER = /<script>(\{.*?\})<\/script>/gs
const MARKER_WHOLE = /<script>\{.*?\}<\/script>/s
/** What OpenCode itself says after a compaction; nobody asked for anything. */
const OWN_CONTINUE = /^Continue if you have next steps/

/** A prompt that reads as `prompt` to a person and as `script` to the scripted model. */
export function scripted(prompt: string, script: Script, progress?: Progress): string {
  // Escaped so that a script may hold prompts with scripts of their own.
  const json = JSON.stringify(progress ? { ...script, progress } : script).replaceAll("<", "\\u003c")
  return `${prompt}\n<script>${json}</script>`
}

/** A script and how far it has been played. */
export interface Position {
  script: Script
  progress: Progress
}

/** The newest script of a conversation and how far it has been played. */
export function locate(messages: readonly ModelMessage[]): Position | undefined {
  for (let index = messages.length - 1; index >= 0; index -= 1) {
    const message = messages[index]
    // An assistant message carries a script only as the summary of a compacted conversation.
    if (message === undefined || (message.role !== "user" && message.role !== "assistant")) continue
    const found = lastScript(message.text)
    if (found) return { script: found, progress: advance(found, messages.slice(index + 1)) }
  }
  return undefined
}

/** The turn that follows. `newest` is quoted when the script has no answer to it. */
export function choose(script: Script, progress: Progress, newest: string): ChosenTurn {
  const next = script.turns[progress.played]
  if (next) return { turn: next, key: `${script.id}/turn/${progress.played}` }
  if (!progress.prompted) return { turn: script.beyond ?? { text: "ok" }, key: `${script.id}/beyond` }
  const answer = script.onPrompt?.[progress.answered]
  return {
    turn: answer ?? { text: `Noted: ${newest.slice(0, 200)}` },
    key: `${script.id}/prompt/${progress.answered}`,
  }
}

/** Where the script stands once the turn chosen for `progress` has been played. */
export function following(script: Script, progress: Progress): Progress {
  if (progress.played < script.turns.length) return { ...progress, played: progress.played + 1 }
  return progress.prompted ? { ...progress, answered: progress.answered + 1 } : progress
}

/**
 * Fills placeholders in every string of a value: `{{task}}` `{{task:1}}` is the n-th distinct task id
 * (`bg_…`) and `{{session}}` the n-th session id (`ses_…`) in the newest user message, else in the
 * tool results; `{{user}}` is that message, `{{tool}}` the newest tool result.
 */
export function fill<T>(value: T, messages: readonly ModelMessage[]): T {
  if (typeof value === "string") return fillText(value, messages) as T
  if (Array.isArray(value)) return value.map((item) => fill(item, messages)) as T
  if (value === null || typeof value !== "object") return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, messages)])) as T
}

/** The text of the newest user message. */
export function newestUserText(messages: readonly ModelMessage[]): string {
  return messages.findLast((message) => message.role === "user")?.text ?? ""
}

function fillText(text: string, messages: readonly ModelMessage[]): string {
  // A script inside the text is another conversation's: its placeholders are filled over there.
  const scripts = text.match(MARKER) ?? []
  return text
    .split(MARKER_WHOLE)
    .map((prose, index) => fillProse(prose, messages) + (scripts[index] ?? ""))
    .join("")
}

function fillProse(text: string, messages: readonly ModelMessage[]): string {
  return text.replace(/\{\{(task|session|user|tool)(?::(\d+))?\}\}/g, (whole, kind: string, index = "0") => {
    const user = newestUserText(messages)
    const tools = messages.filter((message) => message.role === "tool").map((message) => message.text)
    if (kind === "user") return user
    if (kind === "tool") return tools.at(-1) ?? ""
    const shape = kind === "task" ? /bg_[0-9a-z]{8}/g : /ses_[0-9A-Za-z]+/g
    const ids = [...new Set([user, ...tools].flatMap((source) => source.match(shape) ?? []))]
    return ids[Number(index)] ?? whole
  })
}

function lastScript(text: string): CarriedScript | undefined {
  const json = [...text.matchAll(MARKER)].at(-1)?.[1]
  if (json === undefined) return undefined
  try {
    const parsed = JSON.parse(json) as CarriedScript
    return typeof parsed.id === "string" && Array.isArray(parsed.turns) ? parsed : undefined
  } catch {
    return undefined // prose that looks like a script
  }
}

function advance(script: CarriedScript, later: readonly ModelMessage[]): Progress {
  const progress: Progress = { played: 0, prompted: false, answered: 0, ...script.progress }
  for (const message of later) {
    const finished = progress.played >= script.turns.length
    if (message.role === "user") progress.prompted ||= finished && !OWN_CONTINUE.test(message.text)
    if (message.role === "assistant") Object.assign(progress, following(script, progress))
  }
  return progress
}
