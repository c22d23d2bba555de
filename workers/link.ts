import { transferHandlers } from "comlink"
import type { TransferHandler } from "comlink"

import type { WireRequest, WireResponse } from "../src/coordinator/ports.ts"
import type { Assignment, RunCommand } from "../src/core/effects.ts"
import { LanesError } from "../src/core/errors.ts"
import type { ErrorData } from "../src/core/errors.ts"
import type { RunReport } from "../src/core/inputs.ts"
import type { RunRef } from "../src/core/task.ts"

/*
 * The wire between the pool and its workers; both ends import this file.
 *
 * Calls of the host (`run`, `command`, `ping`, `close`) go by Comlink. Everything else is a raw message on the worker's
 * own port, so that the order of what a worker says is kept: Comlink gives each callback a port of its own, and order
 * across ports is not kept. Raw messages share the port with Comlink's: they carry a private tag and never a top-level
 * `id`, `path`, `type` or `argumentList`, which Comlink would take for its own.
 */

/** The key that tells our raw messages from Comlink's; its value names the kind of message. */
export const TAG = "opencode-lanes"

/** What a worker says, one way. */
export type FromWorker =
  /** All modules are loaded; runs can start. */
  | { readonly [TAG]: "ready" }
  | { readonly [TAG]: "report"; readonly report: RunReport }
  /** The run has left the worker, after all its reports. */
  | { readonly [TAG]: "ended"; readonly run: RunRef }
  /** A request to the server. Without a run: a read shared by all runs of the worker. */
  | { readonly [TAG]: "fetch"; readonly call: number; readonly run?: RunRef; readonly request: WireRequest }
  /** Nobody waits for this answer any more. */
  | { readonly [TAG]: "forgo"; readonly call: number }
  /** The thread is about to exit. */
  | { readonly [TAG]: "fatal"; readonly message: string }

/** What the host says besides its Comlink calls: answers to carried requests. */
export type ToWorker =
  | { readonly [TAG]: "answer"; readonly call: number; readonly response: WireResponse }
  | { readonly [TAG]: "answer"; readonly call: number; readonly error: ErrorData }

/** The answer to a heart-beat. */
export interface Pong {
  /** Bytes of the worker's own heap; 0 = unknown. */
  readonly heap: number
  /** Runs that have not ended. */
  readonly runs: number
}

/** What the host calls by Comlink. */
export interface WorkerCalls {
  run(assignment: Assignment): void
  command(run: RunRef, command: RunCommand): void
  ping(): Pong
  /** Ends the thread from inside. */
  close(): void
}

/** Sends a run's request to the server; without a run it may only read. */
export type CarriedFetch = (
  run: RunRef | undefined,
  request: WireRequest,
  signal?: AbortSignal,
) => Promise<WireResponse>

/** Caps on what crosses: each far above what a run needs, so that reaching one means a fault. */
export const WIRE = {
  /** Characters of one request's body: the longest prompt with every character escaped. */
  bodyChars: 8_000_000,
  /** Characters of a response's body; the worker is told GARBLED beyond. */
  responseChars: 16_000_000,
  /** Characters of a result's text; the worker cuts far below. */
  textChars: 16_000_000,
  /** Characters of names, ids, titles, messages and paths. */
  nameChars: 8_192,
  /** Entries of one list: asks, patterns, headers. */
  entries: 1_000,
  /** Values in one message, and how deep they may lie. */
  values: 20_000,
  depth: 12,
} as const

/** Exit code of a worker that ended itself over an error (EX_SOFTWARE of sysexits.h). */
export const EXIT_FATAL = 70

export function isTagged(message: unknown): message is { readonly [TAG]: unknown } {
  return typeof message === "object" && message !== null && TAG in message
}

/** Comlink's own answers to our calls: a string id and a wire value. */
export function isComlinkAnswer(message: unknown): boolean {
  if (typeof message !== "object" || message === null || !("id" in message) || !("type" in message)) return false
  return typeof message.id === "string" && (message.type === "RAW" || message.type === "HANDLER")
}

/** A run as a key of a map. */
export function runKey(run: RunRef): string {
  return `${run.epoch} ${run.attempt} ${run.task}`
}

/** One sentence of whatever was thrown, bounded. */
export function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)
  return text.slice(0, WIRE.nameChars)
}

/** Why a signal was given, as the errors the port SessionApi promises. */
export function reasonOf(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason
  const late = reason instanceof DOMException && reason.name === "TimeoutError"
  return late ? new LanesError("SERVER_TIMEOUT", "The server did not answer in time.") : reason
}

interface Thrown {
  readonly value: unknown
}

let shared = false

/**
 * Teaches Comlink our error class: its own handler drops class and code. Both ends must call it before their first
 * message: a handler known to one end only hangs the call.
 */
export function shareErrors(): void {
  const plain = transferHandlers.get("throw") as TransferHandler<Thrown, unknown> | undefined
  if (shared || plain === undefined) return
  shared = true
  transferHandlers.set("throw", {
    canHandle: (value: unknown): value is Thrown => plain.canHandle(value),
    serialize: (thrown: Thrown) =>
      thrown.value instanceof LanesError ? [{ lanes: thrown.value.toData() }, []] : plain.serialize(thrown),
    deserialize: (wire: { readonly lanes: ErrorData } | object) => {
      if ("lanes" in wire) throw LanesError.fromData(wire.lanes)
      return plain.deserialize(wire)
    },
  })
}
