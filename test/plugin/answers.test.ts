import { expect, test } from "bun:test"

import { USUAL } from "../../src/plugin/names.ts"
import { result } from "../../src/plugin/texts/answers.ts"
import { roomOf } from "../../src/plugin/texts/room.ts"
import { settledRow } from "../helpers/rows.ts"

const ROOM = roomOf({})
const answer = (text: string, room = ROOM): string => {
  const row = settledRow()
  if (row.outcome === undefined) throw new Error("it has settled")
  return result({ ...row, outcome: { ...row.outcome, text } }, USUAL, room)
}
const size = (text: string) => ({ bytes: Buffer.byteLength(text), lines: text.split("\n").length })

test("a result that the host lets through is whole, and says nothing else", () => {
  const frame = size(answer(""))
  const text = "x".repeat(50_000 - frame.bytes)
  expect(answer(text)).toEndWith(`\n\n---\n\n${text}`)
  expect(answer(text)).not.toContain("Note:")
})

test.each([
  ["many bytes", (i: number) => `${i}語語語語語語語語。`, 3_000],
  ["many lines", (i: number) => `line ${i}\n`, 3_000],
  ["both", (i: number) => `${i} 😀😀😀😀😀😀😀😀😀😀\n`, 3_000],
  ["one long line", (i: number) => `${i} `, 40_000],
])("a result of %s keeps its beginning and its end, and says where the rest is", (_what, piece, count) => {
  const text = `It begins. ${Array.from({ length: count }, (_, i) => piece(i)).join("")} It ends.`
  const shown = answer(text)
  expect(size(shown).bytes).toBeLessThanOrEqual(51_200)
  expect(size(shown).lines).toBeLessThanOrEqual(2_000)
  // The host would let through hardly more.
  expect(size(shown).bytes > 51_000 || size(shown).lines > 1_995).toBe(true)
  expect(shown).toContain("---\n\nIt begins. ")
  expect(shown).toEndWith("It ends.")
  expect(shown.match(/\[… the middle is left out …\]/g)).toHaveLength(1)
  expect(shown).toMatch(/Note: this is not the whole text\. .*full_session=true/)
  expect(shown.isWellFormed()).toBe(true)
})

test("what OpenCode is configured to let through is heeded", () => {
  const room = roomOf({ tool_output: { max_bytes: 4_000, max_lines: 100 } })
  for (const text of ["語".repeat(2_000), "x\n".repeat(150)]) {
    const shown = answer(text, room)
    expect(size(shown).bytes).toBeLessThanOrEqual(4_000)
    expect(size(shown).lines).toBeLessThanOrEqual(100)
    expect(shown).toContain("left out")
  }
})
