import type { GenericSchema, InferOutput } from "valibot"

import type { Clock, PermissionRule, SessionApi } from "../src/coordinator/ports.ts"
import { LanesError } from "../src/core/errors.ts"
import { todosOf } from "../src/core/todos.ts"
import { bounded } from "./bounded.ts"
import { pageOf, plainOf } from "./message-digest.ts"
import { asksOf } from "./open-asks.ts"
import { createCall } from "./opencode-call.ts"
import type { ApiCall, Call, WireFetch } from "./opencode-call.ts"
import {
  AcceptedShape,
  MessagesShape,
  PermissionsShape,
  QuestionsShape,
  SessionShape,
  SessionsShape,
  TodosShape,
} from "./opencode-shapes.ts"
import { infoOf } from "./session-info.ts"
import { createStatusBoard } from "./status-board.ts"
import type { StatusBoard } from "./status-board.ts"

/** How long each kind of call may take; a cold instance answers its first request after seconds. */
const LIMITS = { readMs: 8_000, historyMs: 30_000, writeMs: 30_000, abortMs: 10_000 } as const

/** What a session needs of the world. */
export interface OpencodeSessionOptions {
  /** Sends a request to the one server; the signal tells that nobody waits any more. */
  readonly fetch: WireFetch
  readonly clock: Clock
  /** Shared by all runs of a worker. Default: one of its own. */
  readonly board?: StatusBoard
}

/** The port SessionApi over OpenCode's HTTP API, through its SDK. */
export function createOpencodeSession(options: OpencodeSessionOptions): SessionApi {
  const { clock, board = createStatusBoard(options) } = options
  const call = createCall(options)
  const read = bind(call, LIMITS.readMs)
  const readAll = bind(call, LIMITS.historyMs)
  const write = bind(call, LIMITS.writeMs)

  return {
    create: async ({ directory, title, parentID, permission, metadata }, signal) => {
      const rules = copied(permission)
      const input = { directory, title, ...(parentID === undefined ? {} : { parentID }), permission: rules }
      return infoOf(
        await write("creating a session", SessionShape, signal, (client, bound) =>
          client.session.create({ ...input, metadata: { ...metadata } }, bound),
        ),
      )
    },

    get: async (directory, sessionID, signal) =>
      infoOf(
        await read("reading a session", SessionShape, signal, (client, bound) =>
          client.session.get({ directory, sessionID }, bound),
        ),
      ),

    list: async (directory, { since, limit }, signal) => {
      const bounds = { ...(since === undefined ? {} : { start: since }), ...(limit === undefined ? {} : { limit }) }
      const sessions = await read("listing sessions", SessionsShape, signal, (client, bound) =>
        client.session.list({ directory, ...bounds }, bound),
      )
      return sessions.map(infoOf).toSorted((a, b) => b.updated - a.updated)
    },

    // The server replaces metadata and appends rules (measured): what it had stays in force before ours.
    stamp: async (directory, sessionID, { metadata, permission }, signal) => {
      const rules = permission.length === 0 ? {} : { permission: copied(permission) }
      await write("marking a session", SessionShape, signal, (client, bound) =>
        client.session.update({ directory, sessionID, metadata: { ...metadata }, ...rules }, bound),
      )
    },

    prompt: async (directory, sessionID, { messageID, partID, text, agent, model, noReply }, signal) => {
      const input = {
        ...(agent === undefined ? {} : { agent }),
        ...(model === undefined ? {} : { model: modelOf(model) }),
        ...(noReply === undefined ? {} : { noReply }),
        parts: [{ id: partID, type: "text" as const, text }],
      }
      await write("a prompt", AcceptedShape, signal, (client, bound) =>
        client.session.promptAsync({ directory, sessionID, messageID, ...input }, bound),
      )
    },

    // The board's request has its own limit; a caller that gives up leaves it to the others.
    status: (directory, signal) =>
      bounded({ clock, limitMs: 2 * LIMITS.readMs, what: "reading the status", signal }, () => board.read(directory)),

    newest: async (directory, sessionID, { limit, maxChars }, signal) => {
      const messages = await read("reading the newest messages", MessagesShape, signal, (client, bound) =>
        client.session.messages({ directory, sessionID, limit }, bound),
      )
      return pageOf(messages, maxChars)
    },

    messages: async (directory, sessionID, { limit }, signal) => {
      const bounds = limit === undefined ? {} : { limit }
      const messages = await readAll("reading messages", MessagesShape, signal, (client, bound) =>
        client.session.messages({ directory, sessionID, ...bounds }, bound),
      )
      return messages.map(plainOf)
    },

    todos: async (directory, sessionID, signal) =>
      todosOf(
        await read("reading TODOs", TodosShape, signal, (client, bound) =>
          client.session.todo({ directory, sessionID }, bound),
        ),
      ),

    asks: async (directory, signal) => {
      const [permissions, questions] = await Promise.all([
        read("listing permission asks", PermissionsShape, signal, (client, bound) =>
          client.permission.list({ directory }, bound),
        ),
        read("listing questions", QuestionsShape, signal, (client, bound) =>
          client.question.list({ directory }, bound),
        ),
      ])
      return asksOf(permissions, questions)
    },

    // A rejected question has no room for a message, and ends its run (measured).
    reject: async (directory, askID, message, signal) => {
      await write("rejecting an ask", AcceptedShape, signal, (client, bound) =>
        askID.startsWith("que")
          ? client.question.reject({ directory, requestID: askID }, bound)
          : client.permission.reply({ directory, requestID: askID, reply: "reject", message }, bound),
      )
    },

    // Answers 200 for a session that does not exist, too (measured).
    abort: async (directory, sessionID, signal) => {
      await bind(call, LIMITS.abortMs)("aborting a session", AcceptedShape, signal, (client, bound) =>
        client.session.abort({ directory, sessionID }, bound),
      )
    },

    delete: async (directory, sessionID, signal) => {
      await write("deleting a session", AcceptedShape, signal, (client, bound) =>
        client.session.delete({ directory, sessionID }, bound),
      )
    },
  }
}

/** A call with its limit chosen. */
type Bound = <Shape extends GenericSchema>(
  what: string,
  shape: Shape,
  signal: AbortSignal | undefined,
  request: ApiCall<Shape>["request"],
) => Promise<InferOutput<Shape>>

function bind(call: Call, limitMs: number): Bound {
  return (what, shape, signal, request) => call({ what, limitMs, shape, signal, request })
}

/** The provider is what stands before the first slash; a model's name may hold more. */
function modelOf(model: string): { providerID: string; modelID: string } {
  const slash = model.indexOf("/")
  if (slash < 1 || slash === model.length - 1) {
    throw new LanesError("MODEL_UNKNOWN", `"${model}" is not a model.`, "Write it as provider/model.")
  }
  return { providerID: model.slice(0, slash), modelID: model.slice(slash + 1) }
}

function copied(rules: readonly PermissionRule[]): PermissionRule[] {
  return rules.map((rule) => ({ ...rule }))
}
