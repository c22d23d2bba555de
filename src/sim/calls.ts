import type { SessionApi, StatusSample } from "../coordinator/ports.ts"
import { LanesError } from "../core/errors.ts"
import type { ErrorCode } from "../core/errors.ts"
import { todosOf } from "../core/todos.ts"
import type { Loop, SimProcess } from "./clock.ts"
import type { SimServer } from "./server.ts"

/** What the port SessionApi is asked for; spelt out, so that who reads a result's type need not know the port. */
export type CallKind =
  | "create"
  | "get"
  | "list"
  | "stamp"
  | "prompt"
  | "status"
  | "newest"
  | "messages"
  | "todos"
  | "asks"
  | "reject"
  | "abort"
  | "delete"

/** What goes wrong with a call: its way there and back takes `ms`; it fails on the way, at the server, or on the way back. */
export interface CallFate {
  readonly ms: number
  /** The server acts when it is asked, or only just before it answers. */
  readonly early: boolean
  /** The caller gets this instead of the answer. */
  readonly code?: ErrorCode
  /** Despite the error the server did what was asked. */
  readonly acted?: boolean
}

/** How calls get from a process to the server. */
export interface Line {
  readonly loop: Loop
  readonly server: SimServer
  /** Where the answers arrive. */
  readonly process: SimProcess
  fate(kind: CallKind): CallFate
  /** Undefined = it may ask; else the code it is refused with. Asked when it calls and when it gets the answer. */
  refused?(kind: CallKind): ErrorCode | undefined
  /** Status requests under way, shared by all runs of a worker. */
  readonly shared?: Map<string, Promise<StatusSample>>
}

const READ_MS = 8_000

/** The port SessionApi over the simulated server. */
export function simApi(line: Line): SessionApi {
  const { server, loop } = line
  const call = <T>(kind: CallKind, signal: AbortSignal | undefined, act: () => T): Promise<T> =>
    ask(line, kind, signal, act)

  return {
    create: (input, signal) => call("create", signal, () => server.create(input)),
    get: (_, id, signal) => call("get", signal, () => server.session(id).info()),
    list: (directory, { since = 0, limit = 100 }, signal) =>
      call("list", signal, () => server.list(directory, since, limit)),
    stamp: (_, id, { metadata, permission }, signal) =>
      call("stamp", signal, () => server.stamp(id, metadata, permission)),
    prompt: (_, id, input, signal) => call("prompt", signal, () => server.prompt(id, input)),
    status: (directory, signal) => {
      const read = (): Promise<StatusSample> => {
        const askedAt = loop.now
        return call("status", undefined, () => ({ askedAt, of: server.status(directory) }))
      }
      if (signal?.aborted === true) return Promise.reject(closed("status"))
      const { shared } = line
      if (shared === undefined) return read()
      const under = shared.get(directory)
      if (under !== undefined) return under
      const sample = read()
      shared.set(directory, sample)
      const over = (): boolean => shared.delete(directory)
      sample.then(over, over)
      return sample
    },
    newest: (_, id, { limit, maxChars }, signal) =>
      call("newest", signal, () => server.session(id).page(limit, maxChars)),
    messages: (_, id, { limit }, signal) => call("messages", signal, () => server.session(id).plain(limit)),
    todos: (_, id, signal) => call("todos", signal, () => todosOf(server.session(id).todos)),
    todoList: (_, id, signal) => call("todos", signal, () => server.session(id).todos),
    asks: (directory, signal) => call("asks", signal, () => server.asks(directory)),
    reject: (_, askID, message, signal) => call("reject", signal, () => server.reject(askID, message)),
    abort: (_, id, signal) => call("abort", signal, () => server.abort(id)),
    delete: (_, id, signal) => call("delete", signal, () => server.delete(id)),
  }
}

/** One event per call: the answer, or its failure. */
function ask<T>(line: Line, kind: CallKind, signal: AbortSignal | undefined, act: () => T): Promise<T> {
  const { loop, server, process } = line
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted === true) return reject(closed(kind))
    const refusal = line.refused?.(kind)
    if (refusal !== undefined) return reject(failure(refusal, kind))
    const fate = line.fate(kind)
    const wanted = fate.code === undefined || fate.acted === true
    const { life, up } = server
    let done: (() => T) | undefined
    if (fate.early && wanted && server.up) done = attempt(act)
    const forgo = (): void => {
      undo()
      reject(closed(kind))
    }
    const waiting = signal === undefined ? undefined : waitingOn(signal)
    const late = fate.ms > READ_MS
    // Where nobody listens the refusal comes at once.
    const undo = loop.after(up ? Math.min(fate.ms, READ_MS) : 1, () =>
      process.enter(() => {
        waiting?.delete(forgo)
        const moved = line.refused?.(kind)
        // What a dead server was asked and had not begun never happens; nor what a fence took back.
        const alive = up && server.up && server.life === life
        if (wanted && alive && done === undefined && moved === undefined) done = attempt(act)
        if (moved !== undefined) return reject(failure(moved, kind))
        if (fate.code !== undefined) return reject(failure(fate.code, kind))
        if (!alive || done === undefined) return reject(failure("SERVER_UNREACHABLE", kind))
        if (late) return reject(failure("SERVER_TIMEOUT", kind))
        try {
          resolve(done())
        } catch (thrown) {
          reject(thrown)
        }
      }),
    )
    waiting?.add(forgo)
  })
}

/** What is under way until a signal comes; a run has one signal for its thousands of calls, and so one listener. */
const underWay = new WeakMap<AbortSignal, Set<() => void>>()

function waitingOn(signal: AbortSignal): Set<() => void> {
  let waiting = underWay.get(signal)
  if (waiting !== undefined) return waiting
  underWay.set(signal, (waiting = new Set()))
  signal.addEventListener("abort", () => waiting?.forEach((forgo) => forgo()), { once: true })
  return waiting
}

/** Acts now; what came of it is told later. */
function attempt<T>(act: () => T): () => T {
  try {
    const answer = act()
    return () => answer
  } catch (thrown) {
    return () => {
      throw thrown
    }
  }
}

function closed(kind: CallKind): LanesError {
  return new LanesError("CLOSED", `The call ${kind} was given up.`)
}

function failure(code: ErrorCode, kind: CallKind): LanesError {
  return new LanesError(code, `The simulated server's answer to ${kind}: ${code}.`)
}
