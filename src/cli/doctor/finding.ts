/** One line of what `lanes doctor` found. */
export interface Finding {
  /** What it is about, in a word or two: findings of one area stand together. */
  readonly area: string
  /** `bad` makes the command fail; `note` is worth knowing. */
  readonly mark: "ok" | "note" | "bad"
  readonly sentence: string
  /** What to do about it. */
  readonly remedy?: string
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
