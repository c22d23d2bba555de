/** What a person pressed. */
export type Key =
  | {
      readonly type:
        | "up"
        | "down"
        | "page-up"
        | "page-down"
        | "home"
        | "end"
        | "enter"
        | "escape"
        | "backspace"
        | "interrupt"
    }
  | { readonly type: "text"; readonly text: string }

const SEQUENCES: readonly (readonly [string, Exclude<Key["type"], "text">])[] = [
  ["\u001B[A", "up"],
  ["\u001BOA", "up"],
  ["\u001B[B", "down"],
  ["\u001BOB", "down"],
  ["\u001B[5~", "page-up"],
  ["\u001B[6~", "page-down"],
  ["\u001B[H", "home"],
  ["\u001B[1~", "home"],
  ["\u001BOH", "home"],
  ["\u001B[F", "end"],
  ["\u001B[4~", "end"],
  ["\u001BOF", "end"],
  ["\r", "enter"],
  ["\n", "enter"],
  ["\u007F", "backspace"],
  ["\b", "backspace"],
  ["\u0003", "interrupt"],
]

/** The keys in what a raw terminal sent; sequences we do not know are nothing. */
export function keysOf(input: string): Key[] {
  const keys: Key[] = []
  let rest = input
  while (rest !== "") {
    const known = SEQUENCES.find(([sequence]) => rest.startsWith(sequence))
    if (known !== undefined) {
      keys.push({ type: known[1] })
      rest = rest.slice(known[0].length)
      continue
    }
    // oxlint-disable-next-line no-control-regex -- terminals speak in control characters
    const unknown = /^\u001B(\[[0-9;?]*[ -/]*[@-~]|O.)/.exec(rest)?.[0]
    if (unknown !== undefined) {
      rest = rest.slice(unknown.length)
      continue
    }
    const character = String.fromCodePoint(rest.codePointAt(0) ?? 0)
    if (character === "\u001B") keys.push({ type: "escape" })
    else if (!/\p{Cc}/u.test(character)) keys.push({ type: "text", text: character })
    rest = rest.slice(character.length)
  }
  return keys
}
