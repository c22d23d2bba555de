/** Texts cut to size, and durations in words. */
import { expect, test } from "bun:test"
import fc from "fast-check"
import { words } from "../../src/core/stability.ts"
import { cutMiddle, oneLine } from "../../src/core/text.ts"

test("a text that fits stays as it is", () => {
  expect(cutMiddle("abc", 3)).toEqual({ text: "abc", cut: false })
})

test("a longer one keeps head and tail around a marked gap", () => {
  expect(cutMiddle("abcdefghij", 4)).toEqual({ text: "ab\n\n[… 6 characters left out …]\n\nij", cut: true })
})

test("no character is cut in half, nothing is lost but the gap, the size is bounded", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.integer({ min: 2, max: 40 }), (text, max) => {
      const { text: short, cut } = cutMiddle(text, max)
      expect(cut).toBe(text.length > max)
      expect(short.isWellFormed()).toBe(true)
      if (!cut) return
      const [head = "", tail = ""] = short.split(/\n\n\[… \d+ characters left out …\]\n\n/)
      expect(text.startsWith(head) && text.endsWith(tail)).toBe(true)
      expect(head.length + tail.length).toBeLessThanOrEqual(max)
    }),
  )
})

test("one line, bounded", () => {
  expect(oneLine("  a\n\tb  ", 10)).toBe("a b")
  expect(oneLine("abcdef", 4)).toBe("abc…")
  expect(oneLine("ab😀cd", 4)).toBe("ab…")
})

test("durations in words", () => {
  expect([0, 400, 1_000, 135_000, 3_600_000, 3_661_000].map(words)).toEqual([
    "0s",
    "400ms",
    "1s",
    "2m 15s",
    "1h",
    "1h 1m 1s",
  ])
})
