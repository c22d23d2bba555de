import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from "node:fs"
// The package's main file is UMD and looks for its parts at run time: no bundle of it starts
// (https://github.com/microsoft/node-jsonc-parser/issues/57).
import { findNodeAtLocation, parseTree, printParseErrorCode } from "jsonc-parser/lib/esm/main.js"
import type { Node, ParseError } from "jsonc-parser/lib/esm/main.js"
import { LanesError } from "../core/errors.ts"

const LARGEST = 1_048_576
const DEEPEST = 64

/** What the parser's codes mean, for somebody who looks at the place. */
const SENTENCES: Readonly<Record<string, string>> = {
  InvalidSymbol: "a word stands here that is no JSON; strings need double quotes",
  InvalidNumberFormat: "this is not a number as JSON writes it",
  PropertyNameExpected: "a key in double quotes is missing here",
  ValueExpected: "a value is missing here",
  ColonExpected: "a colon is missing here, between key and value",
  CommaExpected: "a comma is missing here",
  CloseBraceExpected: "a closing } is missing",
  CloseBracketExpected: "a closing ] is missing",
  EndOfFileExpected: "the file should end here, but more follows",
  InvalidCommentToken: "this is not a comment; use // or /* … */",
  UnexpectedEndOfComment: "a comment is opened and not closed",
  UnexpectedEndOfString: "a string is not closed on its line",
  UnexpectedEndOfNumber: "a number ends too early",
  InvalidUnicode: "a \\u escape needs four hexadecimal digits",
  InvalidEscapeCharacter: "this escape does not exist in JSON; write a backslash as \\\\",
  InvalidCharacter: "this character may not stand here",
}

/** Why a file could not be opened or read. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EISDIR: "it is a directory, not a file",
  ELOOP: "its symbolic links lead in a circle",
}

function broken(sentence: string, hint?: string): LanesError {
  return new LanesError("CONFIG_INVALID", sentence, hint)
}

/**
 * The value of a JSONC file (of one of its keys, if `key` is given); `undefined` if there is no such file, nothing in
 * it, or no such key. Comments and trailing commas are allowed. Throws `CONFIG_INVALID` for what cannot be read, and
 * for syntax errors with `file:line:column`.
 */
export function readJsonc(file: string, key?: string): unknown {
  const text = readText(file)
  if (text === undefined) return undefined
  const errors: ParseError[] = []
  let root: Node | undefined
  try {
    root = parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: true })
  } catch {
    // The parser calls itself for each level: only depth can exhaust it.
    throw broken(`${file}: nested too deeply to be a configuration.`)
  }
  const [first] = errors
  if (first !== undefined) throw broken(syntaxSentence(file, text, first), "Correct it and start again.")
  const node = root === undefined || key === undefined ? root : findNodeAtLocation(root, [key])
  return node === undefined ? undefined : valueOf(node, file)
}

function readText(file: string): string | undefined {
  let fd: number
  try {
    // Without O_NONBLOCK opening a named pipe would wait for a writer.
    fd = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code !== "ENOENT" && code !== "ENOTDIR") throw unreadable(file, thrown)
    if (isLink(file)) throw broken(`${file}: a symbolic link that leads nowhere.`, "Correct or remove it.")
    return undefined
  }
  try {
    const stat = fstatSync(fd)
    if (stat.isDirectory()) throw Object.assign(new Error("directory"), { code: "EISDIR" })
    if (!stat.isFile()) throw broken(`${file}: not an ordinary file.`, "Replace or remove it.")
    if (stat.size > LARGEST) {
      throw broken(`${file}: ${stat.size} bytes are too large for a configuration (at most 1 MB).`)
    }
    const text = readFileSync(fd, "utf8")
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  } catch (thrown) {
    throw thrown instanceof LanesError ? thrown : unreadable(file, thrown)
  } finally {
    closeSync(fd)
  }
}

function unreadable(file: string, thrown: unknown): LanesError {
  const { code = "unknown reason" } = thrown as NodeJS.ErrnoException
  return broken(`${file}: cannot be read: ${REASONS[code] ?? code}.`, "Make it readable, or remove it.")
}

function isLink(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}

function syntaxSentence(file: string, text: string, { error, offset }: ParseError): string {
  const before = text.slice(0, offset).split(/\r\n|\r|\n/)
  const column = (before.at(-1)?.length ?? 0) + 1
  const code = printParseErrorCode(error)
  return `${file}:${before.length}:${column}: ${SENTENCES[code] ?? code}.`
}

/** Objects without a prototype: the parser's own values let a key `__proto__` choose one. */
function valueOf(node: Node, file: string, depth = 0): unknown {
  if (depth > DEEPEST) throw broken(`${file}: nested too deeply to be a configuration.`)
  if (node.type === "array") return node.children?.map((child) => valueOf(child, file, depth + 1)) ?? []
  if (node.type !== "object") return node.value
  const object = Object.create(null) as Record<string, unknown>
  for (const { children } of node.children ?? []) {
    const [name, value] = children ?? []
    if (name !== undefined && value !== undefined) object[String(name.value)] = valueOf(value, file, depth + 1)
  }
  return object
}
