import { describe, expect, test } from "bun:test"

import { digestOf, hash128 } from "../../src/core/digest.ts"
import { after, messageID, partID, timeOf } from "../../src/core/message-id.ts"
import { tailOf } from "../../src/core/tail.ts"
import { todosOf } from "../../src/core/todos.ts"

/** An id a real server made, and when it said it did. */
const REAL = { id: "msg_204e40264001gy923rC4YUEvV9", created: 1_795_378_381_412 }
const WRAP = 2 ** 36

describe("ids in OpenCode's scheme", () => {
  test("read the time of a real one", () => {
    expect(timeOf(REAL.id)).toBe(REAL.created % WRAP)
  })

  test("sort before what the server makes in the same millisecond, and after the one before", () => {
    const ours = messageID(REAL.created, "zzzzzzzzzzzzzz")
    expect(ours < REAL.id).toBe(true)
    expect(ours).toBe("msg_204e40264000zzzzzzzzzzzzzz")
    expect(ours > messageID(REAL.created - 1, "zzzzzzzzzzzzzz")).toBe(true)
    expect(partID(REAL.created, "zzzzzzzzzzzzzz")).toBe("prt_204e40264000zzzzzzzzzzzzzz")
    expect(timeOf(ours)).toBe(REAL.created % WRAP)
  })

  test("take fractions of a millisecond and years after the wrap", () => {
    expect(messageID(REAL.created + 0.7, "A".repeat(14))).toBe(messageID(REAL.created, "A".repeat(14)))
    expect(timeOf(messageID(27 * WRAP + 5, "A".repeat(14)))).toBe(5)
    expect(messageID(27 * WRAP, "A".repeat(14))).toHaveLength(30)
  })

  test("after gives the next id with a tail: the same stamp if the tail allows it", () => {
    expect(after(REAL.id, "zzzzzzzzzzzzzz")).toBe("msg_204e40264001zzzzzzzzzzzzzz")
    expect(after(REAL.id, "AAAAAAAAAAAAAA")).toBe("msg_204e40264002AAAAAAAAAAAAAA")
    expect(after(REAL.id, "gy923rC4YUEvV9")).toBe("msg_204e40264002gy923rC4YUEvV9")
    expect(after("msg_204e40264fffgy923rC4YUEvV9", "AAAAAAAAAAAAAA")).toBe("msg_204e40265000AAAAAAAAAAAAAA")
    expect(after(REAL.id, "AAAAAAAAAAAAAA") > REAL.id).toBe(true)
  })
})

describe("names made from text", () => {
  // Tails are in stored rows and in sessions: another value here means that old prompts are sent again.
  test("stay what they are", () => {
    expect(tailOf("bg_abc123de:1:0")).toBe("aHHoxd0znVWCP9")
    expect(tailOf("")).toBe("qUIVbotbCcs2Kq")
    expect(digestOf("lanes")).toBe("fac18c9a4a1783a611105f8fee0dbbaa")
  })

  test("are 14 characters of OpenCode's alphabet, all of them used, and never twice the same", () => {
    const tails = Array.from({ length: 30_000 }, (_, index) => tailOf(`bg_0000000${index % 10}:${index}:0`))
    expect(new Set(tails).size).toBe(tails.length)
    expect(tails.every((tail) => /^[0-9A-Za-z]{14}$/.test(tail))).toBe(true)
    expect(new Set(tails.join("")).size).toBe(62)
    expect(new Set(tails.map((tail) => tail.slice(0, 6))).size).toBeGreaterThan(29_990)
  })

  test("differ in about half of all bits when one character differs", () => {
    const flips = Array.from({ length: 2_000 }, (_, index) => {
      const one = hash128(`task ${index} a`)
      const other = hash128(`task ${index} b`)
      return one.reduce((sum, word, at) => sum + bits(word ^ (other[at] ?? 0)), 0)
    })
    const mean = flips.reduce((sum, count) => sum + count, 0) / flips.length
    expect(mean).toBeGreaterThan(62)
    expect(mean).toBeLessThan(66)
    expect(Math.min(...flips)).toBeGreaterThan(30)
  })

  test("tell order, length and repetition", () => {
    const texts = ["", "a", "aa", "aaa", "ab", "ba", "\0", "\0\0", "a\0", "\0a"]
    expect(new Set(texts.map(digestOf)).size).toBe(texts.length)
    expect(digestOf("x")).toMatch(/^[0-9a-f]{32}$/)
  })
})

describe("TODOs", () => {
  const list = [
    { content: "a", status: "pending" },
    { content: "b", status: "in_progress" },
    { content: "c", status: "completed" },
    { content: "d", status: "cancelled" },
  ]

  test("are open until completed or cancelled; an unknown status is open", () => {
    expect(todosOf(list).open).toBe(2)
    expect(todosOf([{ content: "a", status: "blocked" }]).open).toBe(1)
    expect(todosOf([]).open).toBe(0)
  })

  test("have another digest when one changes, and the same whatever else an entry says", () => {
    const [first, ...rest] = list
    expect(todosOf([{ content: "a", status: "completed" }, ...rest]).digest).not.toBe(todosOf(list).digest)
    expect(todosOf([{ ...first, content: "a", status: "pending", priority: "high" } as never, ...rest])).toEqual(
      todosOf(list),
    )
    expect(todosOf(list.toReversed()).digest).not.toBe(todosOf(list).digest)
  })
})

function bits(word: number): number {
  return (word >>> 0).toString(2).replaceAll("0", "").length
}
