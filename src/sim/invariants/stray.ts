import type { Oracle } from "../truth.ts"

/** 7: a word of an attempt that has moved on, or heard before, leads to nothing. */
export const stray: Oracle = (scene) => {
  let before: { readonly effects: number; readonly words: string } | undefined
  let effects = 0
  return {
    stray(words) {
      before = { effects, words }
    },
    event() {
      effects++
    },
    wrote(rows, forget) {
      effects += rows.length + forget.length
    },
    assigned() {
      effects++
    },
    heard() {
      if (before !== undefined && before.effects !== effects)
        scene.fail(7, `${before.words} had ${effects - before.effects} effect(s)`)
      before = undefined
    },
  }
}
