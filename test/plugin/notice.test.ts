/** What a notice asks of who reads it. */
import { expect, test } from "bun:test"
import type { TaskRow } from "../../src/core/task.ts"
import { USUAL } from "../../src/plugin/names.ts"
import { notice } from "../../src/plugin/texts/notice.ts"
import { rowOf } from "../helpers/rows.ts"

const ended = rowOf({ id: "bg_00000001", state: "completed" })
const running = rowOf({ id: "bg_00000002", state: "running" })

const lastLine = (wakes: boolean, ...batch: TaskRow[]): string | undefined =>
  notice({ task: ended.id, epoch: 1, tail: "" }, { row: ended, batch, wakes }, USUAL).split("\n").at(-2)

test("with a turn: to read; with others at work: to wait for them; else nobody is promised another word", () => {
  expect(lastLine(true, ended)).toStartWith("Read the results you need")
  expect(lastLine(false, ended, running)).toBe("Nothing to do now; you will be told when all have ended.")
  expect(lastLine(false, ended)).toBe("Nothing to do now; read the result when you need it.")
})
