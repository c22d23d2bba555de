import { expect, test } from "bun:test"
import { hiding } from "../../src/adapters/secrets.ts"

test("a secret is hidden as it is, in JSON and in an address, wherever it stands", () => {
  const hide = hiding(['pa"ss/word', undefined])
  expect(hide('a pa"ss/word b pa"ss/word')).toBe("a ••• b •••")
  expect(hide(JSON.stringify({ text: 'is pa"ss/word' }))).toBe('{"text":"is •••"}')
  expect(hide("http://me:pa%22ss%2Fword@host")).toBe("http://me:•••@host")
})

test("what is too short to be told from words is left, and so is all where there is no secret", () => {
  expect(hiding(["pass"])("passport")).toBe("passport")
  expect(hiding([])("a")).toBe("a")
})
