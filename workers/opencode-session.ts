import type {
  PermissionListData,
  PermissionReplyData,
  QuestionListData,
  QuestionRejectData,
  SessionAbortData,
  SessionCreateData,
  SessionDeleteData,
  SessionGetData,
  SessionListData,
  SessionMessagesData,
  SessionPromptAsyncData,
  SessionTodoData,
  SessionUpdateData,
} from "@opencode-ai/sdk/v2/types"
import type { GenericSchema, InferOutput } from "valibot"

import type { Clock, PermissionRule, SessionApi } from "../src/coordinator/ports.ts"
import { LanesError } from "../src/core/errors.ts"
import { todosOf } from "../src/core/todos.ts"
import { bounded } from "./bounded.ts"
import { pageOf, plainOf } from "./message-digest.ts"
import { asksOf } from "./open-asks.ts"
import { createCall } from "./opencode-call.ts"
import type { ApiCall, ApiRequest, Call, WireFetch } from "./opencode-call.ts"
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

const SESSION = "/session/{sessionID}"

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
  const todoList: SessionApi["todoList"] = (directory, sessionID, signal) => {
    const url = "/session/{sessionID}/todo"
    const request = { url, path: { sessionID }, query: { directory } } satisfies SessionTodoData
    return read("reading TODOs", TodosShape, signal, "get", request)
  }

  return {
    create: async ({ directory, title, parentID, permission, metadata }, signal) => {
      const parent = parentID === undefined ? {} : { parentID }
      const body = { title, ...parent, permission: copied(permission), metadata: { ...metadata } }
      const request = { url: "/session", query: { directory }, body } satisfies SessionCreateData
      return infoOf(await write("creating a session", SessionShape, signal, "post", request))
    },

    get: async (directory, sessionID, signal) => {
      const request = { url: SESSION, path: { sessionID }, query: { directory } } satisfies SessionGetData
      return infoOf(await read("reading a session", SessionShape, signal, "get", request))
    },

    list: async (directory, { since, limit }, signal) => {
      const bounds = { ...(since === undefined ? {} : { start: since }), ...(limit === undefined ? {} : { limit }) }
      const request = { url: "/session", query: { directory, ...bounds } } satisfies SessionListData
      const sessions = await read("listing sessions", SessionsShape, signal, "get", request)
      return sessions.map(infoOf).toSorted((a, b) => b.updated - a.updated)
    },

    // The server replaces metadata and appends rules (measured): what it had stays in force before ours.
    stamp: async (directory, sessionID, { metadata, permission }, signal) => {
      const rules = permission.length === 0 ? {} : { permission: copied(permission) }
      const body = { metadata: { ...metadata }, ...rules }
      const request = { url: SESSION, path: { sessionID }, query: { directory }, body } satisfies SessionUpdateData
      await write("marking a session", SessionShape, signal, "patch", request)
    },

    prompt: async (directory, sessionID, { messageID, partID, text, agent, model, noReply }, signal) => {
      const body = {
        messageID,
        ...(agent === undefined ? {} : { agent }),
        ...(model === undefined ? {} : { model: modelOf(model) }),
        ...(noReply === undefined ? {} : { noReply }),
        parts: [{ id: partID, type: "text" as const, text }],
      }
      await write("a prompt", AcceptedShape, signal, "post", {
        url: "/session/{sessionID}/prompt_async",
        path: { sessionID },
        query: { directory },
        body,
      } satisfies SessionPromptAsyncData)
    },

    // The board's request has its own limit; a caller that gives up leaves it to the others.
    status: (directory, signal) =>
      bounded({ clock, limitMs: 2 * LIMITS.readMs, what: "reading the status", signal }, () => board.read(directory)),

    newest: async (directory, sessionID, { limit, maxChars }, signal) => {
      const request = messagesOf(sessionID, { directory, limit })
      return pageOf(await read("reading the newest messages", MessagesShape, signal, "get", request), maxChars)
    },

    messages: async (directory, sessionID, { limit }, signal) => {
      const request = messagesOf(sessionID, { directory, ...(limit === undefined ? {} : { limit }) })
      return (await readAll("reading messages", MessagesShape, signal, "get", request)).map(plainOf)
    },

    todos: async (directory, sessionID, signal) => todosOf(await todoList(directory, sessionID, signal)),

    todoList,

    asks: async (directory, signal) => {
      const query = { directory }
      const [permissions, questions] = await Promise.all([
        read("listing permission asks", PermissionsShape, signal, "get", {
          url: "/permission",
          query,
        } satisfies PermissionListData),
        read("listing questions", QuestionsShape, signal, "get", {
          url: "/question",
          query,
        } satisfies QuestionListData),
      ])
      return asksOf(permissions, questions)
    },

    // A rejected question has no room for a message, and ends its run (measured).
    reject: async (directory, askID, message, signal) => {
      const to = { path: { requestID: askID }, query: { directory } }
      const request = askID.startsWith("que")
        ? ({ url: "/question/{requestID}/reject", ...to } satisfies QuestionRejectData)
        : ({
            url: "/permission/{requestID}/reply",
            ...to,
            body: { reply: "reject", message },
          } satisfies PermissionReplyData)
      await write("rejecting an ask", AcceptedShape, signal, "post", request)
    },

    // Answers 200 for a session that does not exist, too (measured).
    abort: async (directory, sessionID, signal) => {
      const url = "/session/{sessionID}/abort"
      const request = { url, path: { sessionID }, query: { directory } } satisfies SessionAbortData
      await bind(call, LIMITS.abortMs)("aborting a session", AcceptedShape, signal, "post", request)
    },

    delete: async (directory, sessionID, signal) => {
      const request = { url: SESSION, path: { sessionID }, query: { directory } } satisfies SessionDeleteData
      await write("deleting a session", AcceptedShape, signal, "delete", request)
    },
  }
}

function messagesOf(sessionID: string, query: { directory: string; limit?: number }): ApiRequest {
  return { url: "/session/{sessionID}/message", path: { sessionID }, query } satisfies SessionMessagesData
}

/** A call with its limit chosen. */
type Bound = <Shape extends GenericSchema>(
  what: string,
  shape: Shape,
  signal: AbortSignal | undefined,
  method: ApiCall<Shape>["method"],
  request: ApiRequest,
) => Promise<InferOutput<Shape>>

function bind(call: Call, limitMs: number): Bound {
  return async (what, shape, signal, method, request) =>
    (await call({ what, limitMs, shape, signal, method, request })).said
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
