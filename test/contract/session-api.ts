/** What every SessionApi must do: the one over the real OpenCode and the simulated one alike. */

import { beforeAll, describe, expect, test } from "bun:test"

import type { Clock, SessionApi, SessionInfo } from "../../src/coordinator/ports.ts"
import { messageID, partID } from "../../src/core/message-id.ts"
import type { NewestMessage } from "../../src/core/snapshot.ts"
import { tailOf } from "../../src/core/tail.ts"
import { todosOf } from "../../src/core/todos.ts"
import { codeOf } from "../helpers/code-of.ts"

/** One model step of the scripted agent. */
export type ContractTurn =
  /** Says this and is done; `cutOff`: stopped at its length limit. */
  | { readonly say: string; readonly cutOff?: boolean }
  /** Is busy writing for so long, then done. */
  | { readonly writeForMs: number }
  | { readonly todos: readonly { readonly content: string; readonly status: string }[] }
  /** Calls a tool that needs a permission, and goes on when it is rejected with a message. */
  | { readonly ask: "permission" }
  | { readonly ask: "question"; readonly question: string }
  /** The provider refuses for good. */
  | { readonly fail: string }

/** A SessionApi and the world around it. */
export interface SessionApiUnderTest {
  readonly api: SessionApi
  readonly clock: Clock
  readonly directory: string
  readonly agent: string
  /** A prompt that makes the agent do this, step by step. */
  script(turns: readonly ContractTurn[]): string
  /** Asks again, letting time pass, until the answer is not undefined. */
  waitFor<T>(probe: () => Promise<T | undefined>): Promise<T>
}

const LIMIT_MS = 30_000
const READ = { limit: 5, maxChars: 10_000 } as const

export function sessionApiContract(
  name: string,
  setup: () => SessionApiUnderTest | Promise<SessionApiUnderTest>,
): void {
  describe(`SessionApi: ${name}`, () => {
    let under: SessionApiUnderTest
    let api: SessionApi
    let directory: string
    let made = 0

    beforeAll(async () => {
      under = await setup()
      ;({ api, directory } = under)
    }, LIMIT_MS)

    const create = (metadata: Record<string, unknown> = {}, parentID?: string): Promise<SessionInfo> =>
      api.create({
        directory,
        title: "A task",
        permission: [],
        metadata,
        ...(parentID === undefined ? {} : { parentID }),
      })

    /** Ids of one prompt, and the prompt. */
    const prepare = (turns: readonly ContractTurn[], aheadMs = 0) => {
      const tail = tailOf(`${name}:${(made += 1)}`)
      const now = under.clock.wall() + aheadMs
      return {
        messageID: messageID(now, tail),
        partID: partID(now, tail),
        text: under.script(turns),
        agent: under.agent,
      }
    }

    const prompted = async (...turns: ContractTurn[]): Promise<{ sessionID: string; messageID: string }> => {
      const { id: sessionID } = await create()
      const prompt = prepare(turns)
      await api.prompt(directory, sessionID, prompt)
      return { sessionID, messageID: prompt.messageID }
    }

    const isBusy = async (sessionID: string): Promise<true | undefined> =>
      sessionID in (await api.status(directory)).of ? true : undefined

    /** Idle, with a whole answer after this message. */
    const answered = (sessionID: string): Promise<NewestMessage> =>
      under.waitFor(async () => {
        if (await isBusy(sessionID)) return undefined
        const { newest } = await api.newest(directory, sessionID, READ)
        return newest?.role === "assistant" && newest.completed ? newest : undefined
      })

    /** The session's open ask, once the tool that asks is seen to run. */
    const askOf = (sessionID: string) =>
      under.waitFor(async () => {
        const ask = (await api.asks(directory))[sessionID]?.[0]
        const { newest } = await api.newest(directory, sessionID, READ)
        return newest?.tool === undefined ? undefined : ask
      })

    const it = (title: string, body: () => Promise<void>): void => test(title, body, LIMIT_MS)

    it("keeps what a session is created with", async () => {
      const parent = await create()
      const session = await create({ lanes: { task: "bg_00000001", epoch: 2 } }, parent.id)
      expect(session).toMatchObject({ directory, title: "A task", parentID: parent.id, cost: 0 })
      expect(session.metadata).toEqual({ lanes: { task: "bg_00000001", epoch: 2 } })
      expect(session.tokens).toEqual({ input: 0, output: 0, reasoning: 0, cacheRead: 0, cacheWrite: 0 })
      expect(await api.get(directory, session.id)).toEqual(session)
    })

    it("finds a session by its metadata among those since a moment", async () => {
      const before = await create({ mark: "before" })
      const wanted = await create({ mark: "wanted" })
      const found = (await api.list(directory, { since: wanted.created, limit: 100 })).filter(
        ({ metadata }) => metadata["mark"] === "wanted",
      )
      expect(found.map(({ id }) => id)).toEqual([wanted.id])
      const [newest, ...others] = await api.list(directory, { limit: 1 })
      expect(newest?.updated).toBeGreaterThanOrEqual(wanted.created)
      expect(others).toEqual([])
      expect((await api.list(directory, { since: wanted.created + 1 })).map(({ id }) => id)).not.toContain(before.id)
    })

    it("replaces metadata when it stamps", async () => {
      const { id } = await create({ old: 1 })
      const permission = [{ permission: "task", pattern: "*", action: "deny" }] as const
      await api.stamp(directory, id, { metadata: { ours: 2 }, permission })
      expect((await api.get(directory, id)).metadata).toEqual({ ours: 2 })
    })

    it("goes from absent over busy to absent with an answer", async () => {
      const { id } = await create()
      expect((await api.status(directory)).of[id]).toBeUndefined()
      expect(await api.newest(directory, id, READ)).toMatchObject({ newest: null, users: [] })

      const prompt = prepare([{ writeForMs: 1_500 }])
      await api.prompt(directory, id, prompt)
      const before = under.clock.now()
      const busy = await under.waitFor(async () => {
        const sample = await api.status(directory)
        return sample.of[id] === undefined ? undefined : sample
      })
      expect(busy.of[id]).toEqual({ type: "busy" })
      expect(busy.askedAt).toBeGreaterThanOrEqual(before)
      expect(busy.askedAt).toBeLessThanOrEqual(under.clock.now())

      await answered(id)
      expect((await api.status(directory)).of[id]).toBeUndefined()
    })

    it("reads a whole answer", async () => {
      const { sessionID, messageID: user } = await prompted({ say: "Forty-two." })
      const newest = await answered(sessionID)
      expect(newest).toEqual({
        id: newest.id,
        role: "assistant",
        parentID: user,
        completed: true,
        finish: "stop",
        summary: false,
        output: true,
        text: "Forty-two.",
      })
      expect(newest.id > user).toBe(true)
      const page = await api.newest(directory, sessionID, READ)
      expect(page).toMatchObject({ newestUser: user, users: [user] })
      const { tokens, cost } = await api.get(directory, sessionID)
      expect(tokens.output).toBeGreaterThan(0)
      expect(cost).toBeGreaterThan(0)
    })

    it("reads no more messages than asked for", async () => {
      const { sessionID, messageID: user } = await prompted({ say: "Yes." })
      await answered(sessionID)
      const page = await api.newest(directory, sessionID, { limit: 1, maxChars: 100 })
      expect(page.newest).toMatchObject({ role: "assistant", parentID: user })
      expect(page.users).toEqual([])
      expect(page).not.toHaveProperty("newestUser")
    })

    it("cuts a long answer in the middle and says so", async () => {
      const { sessionID } = await prompted({ say: `begin ${"x".repeat(500)} end` })
      await answered(sessionID)
      const { newest } = await api.newest(directory, sessionID, { limit: 1, maxChars: 40 })
      expect(newest).toMatchObject({ cut: true })
      expect(newest?.text).toStartWith("begin x")
      expect(newest?.text).toEndWith("x end")
      expect(newest?.text?.length).toBeLessThan(120)
    })

    it("tells an answer that stopped at its length limit", async () => {
      const { sessionID } = await prompted({ say: "and then", cutOff: true })
      expect(await answered(sessionID)).toMatchObject({ finish: "length", text: "and then" })
    })

    it("tells an answer that ended in an error", async () => {
      const { sessionID } = await prompted({ fail: "The account is empty." })
      const newest = await answered(sessionID)
      expect(newest.error?.name).toBe("APIError")
      expect(newest.error?.message).toContain("The account is empty.")
      expect(newest.finish).toBeUndefined()
    })

    it("keeps the fingerprint while nothing moves, and changes it with a step", async () => {
      const { sessionID } = await prompted({ ask: "permission" }, { say: "Then without." })
      const ask = await askOf(sessionID)
      const first = await api.newest(directory, sessionID, READ)
      expect((await api.newest(directory, sessionID, READ)).fingerprint).toBe(first.fingerprint)
      await api.reject(directory, ask.id, "Not here.")
      await answered(sessionID)
      expect((await api.newest(directory, sessionID, READ)).fingerprint).not.toBe(first.fingerprint)
    })

    it("counts open TODOs, and lists them all", async () => {
      const list = [
        { content: "read", status: "completed" },
        { content: "write", status: "in_progress" },
        { content: "ask", status: "cancelled" },
      ]
      const { sessionID } = await prompted({ todos: list }, { say: "So far." })
      await answered(sessionID)
      expect(await api.todos(directory, sessionID)).toEqual(todosOf(list))
      expect((await api.todos(directory, sessionID)).open).toBe(1)
      expect(await api.todoList(directory, sessionID)).toMatchObject(list)
      const { id: other } = await create()
      expect(await api.todos(directory, other)).toEqual(todosOf([]))
    })

    it("shows a permission ask, and goes on after a rejection with a message", async () => {
      const { sessionID } = await prompted({ ask: "permission" }, { say: "Then without." })
      const ask = await askOf(sessionID)
      expect(ask.permission).not.toBe("")
      expect(await isBusy(sessionID)).toBe(true)
      expect((await api.newest(directory, sessionID, READ)).newest).toMatchObject({
        completed: false,
        tool: expect.any(String),
      })
      await api.reject(directory, ask.id, "Not here.")
      expect(await answered(sessionID)).toMatchObject({ text: "Then without.", finish: "stop" })
      expect((await api.asks(directory))[sessionID]).toBeUndefined()
      const tools = (await api.messages(directory, sessionID, {})).flatMap((message) => message.tools)
      expect(tools.map(({ state }) => state)).toEqual(["error"])
    })

    it("shows the tool that runs, also behind a prompt that waits for its end", async () => {
      const { sessionID } = await prompted({ ask: "permission" }, { say: "Then without." })
      const ask = await askOf(sessionID)
      const before = await api.newest(directory, sessionID, READ)
      await api.prompt(directory, sessionID, prepare([{ say: "That too." }]))
      const page = await api.newest(directory, sessionID, READ)
      expect(page.newest).toMatchObject({ role: "user", completed: false, tool: before.newest?.tool ?? "a tool" })
      expect(page.fingerprint).toBe(before.fingerprint)
      // One message alone does not reach back to the answer.
      const { newest, fingerprint } = await api.newest(directory, sessionID, { ...READ, limit: 1 })
      expect([newest?.role, newest?.tool, fingerprint]).toEqual(["user", undefined, ""])
      await api.reject(directory, ask.id, "Not here.")
    })

    it("shows a question, and rejects it", async () => {
      const { sessionID } = await prompted({ ask: "question", question: "Which one?" }, { say: "Whatever." })
      const ask = await askOf(sessionID)
      expect(ask).toMatchObject({ permission: "question", patterns: ["Which one?"] })
      await api.reject(directory, ask.id, "Nobody is here.")
      await answered(sessionID)
      expect((await api.asks(directory))[sessionID]).toBeUndefined()
    })

    it("takes the same prompt as often as it is sent, once", async () => {
      const { id } = await create()
      const prompt = prepare([{ writeForMs: 500 }, { say: "One too many." }])
      await api.prompt(directory, id, prompt)
      await api.prompt(directory, id, prompt)
      const newest = await answered(id)
      await api.prompt(directory, id, prompt)
      expect((await answered(id)).id).toBe(newest.id)
      const messages = await api.messages(directory, id, {})
      expect(messages.map(({ role }) => role)).toEqual(["user", "assistant"])
      expect(messages[0]).toMatchObject({ id: prompt.messageID, text: prompt.text })
    })

    it("answers prompts whose ids come from a clock that is ahead or behind, and knows the newest all the same", async () => {
      const { id } = await create()
      for (const [aheadMs, say] of [
        [60_000, "First."],
        [-60_000, "Second."],
      ] as const) {
        const prompt = prepare([{ say }], aheadMs)
        await api.prompt(directory, id, prompt)
        const newest = await under.waitFor(async () => {
          const page = await api.newest(directory, id, READ)
          return page.newest?.completed === true && page.newest.parentID === prompt.messageID ? page : undefined
        })
        expect(newest.newest?.text).toBe(say)
        expect(newest.newestUser).toBe(prompt.messageID)
      }
    })

    it("stores a message without a turn", async () => {
      const { id } = await create()
      const prompt = prepare([{ say: "Never said." }])
      await api.prompt(directory, id, { ...prompt, noReply: true })
      const stored = await under.waitFor(async () => (await api.newest(directory, id, READ)).newest ?? undefined)
      expect(stored).toMatchObject({ id: prompt.messageID, role: "user", completed: false })
      expect(await isBusy(id)).toBeUndefined()
    })

    it("lists only the busy ones", async () => {
      const { id: idle } = await create()
      const { sessionID: busy } = await prompted({ writeForMs: 1_500 })
      const sample = await under.waitFor(async () => {
        const { of } = await api.status(directory)
        return busy in of ? of : undefined
      })
      expect(Object.keys(sample)).not.toContain(idle)
      await api.abort(directory, busy)
    })

    it("aborts a busy session", async () => {
      const { sessionID } = await prompted({ writeForMs: 20_000 })
      await under.waitFor(
        async () => (await api.newest(directory, sessionID, READ)).newest?.role === "assistant" || undefined,
      )
      const before = under.clock.now()
      await api.abort(directory, sessionID)
      expect((await answered(sessionID)).error?.name).toBe("MessageAbortedError")
      expect(under.clock.now() - before).toBeLessThan(5_000)
    })

    it("answers NOT_FOUND for what was deleted and for what never was", async () => {
      const { id } = await create()
      await api.delete(directory, id)
      for (const gone of [id, `${id.slice(0, -4)}0000`]) {
        expect(await codeOf(api.get(directory, gone))).toBe("NOT_FOUND")
        expect(await codeOf(api.newest(directory, gone, READ))).toBe("NOT_FOUND")
        expect(await codeOf(api.todos(directory, gone))).toBe("NOT_FOUND")
        expect(await codeOf(api.delete(directory, gone))).toBe("NOT_FOUND")
        expect(await codeOf(api.prompt(directory, gone, prepare([{ say: "x" }])))).toBe("NOT_FOUND")
      }
    })

    it("reads messages as text, oldest first", async () => {
      const { sessionID, messageID: user } = await prompted({ todos: [] }, { say: "Done." })
      await answered(sessionID)
      const all = await api.messages(directory, sessionID, {})
      expect(all.map(({ role }) => role)).toEqual(["user", "assistant", "assistant"])
      expect(all[0]?.id).toBe(user)
      expect(all[1]?.tools).toEqual([{ name: "todowrite", state: "completed" }])
      expect(all[2]).toMatchObject({ text: "Done.", tools: [] })
      expect((await api.messages(directory, sessionID, { limit: 1 })).map(({ text }) => text)).toEqual(["Done."])
    })

    it("refuses a call given up before it began", async () => {
      const given = AbortSignal.abort()
      expect(await codeOf(api.status(directory, given))).toBe("CLOSED")
      expect(await codeOf(api.list(directory, {}, given))).toBe("CLOSED")
    })
  })
}
