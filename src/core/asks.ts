import type { Book } from "./book.ts"
import { BOUNDS } from "./options.ts"
import { refusal } from "./phrases.ts"
import type { Run } from "./run.ts"
import type { Ask } from "./snapshot.ts"

/** Permission asks not seen before: answered at once, or left to the human. */
export function answerAsks(book: Book, run: Run): void {
  if (run.evidence.asks.size === 0) return
  const seen = (run.asksSeen ??= new Map())
  const reject = book.options.permissions === "reject"
  for (const ask of run.evidence.asks.values()) {
    if (seen.has(ask.id)) continue
    seen.set(ask.id, book.now.mono)
    const { id, epoch } = run.task
    const action = reject ? "rejected" : "forwarded"
    book.emit({
      type: "task:permission",
      id,
      epoch,
      askID: ask.id,
      permission: ask.permission,
      patterns: ask.patterns,
      action,
    })
    if (!reject) continue
    run.evidence.rejected = true
    reply(book, run, ask)
  }
}

/** An answer may have been lost with its worker or on its way: an ask that is still open is answered again. */
export function answerAgain(book: Book, run: Run, open: readonly Ask[]): void {
  if (book.options.permissions !== "reject") return
  for (const ask of open) {
    const answeredAt = run.asksSeen?.get(ask.id)
    if (answeredAt === undefined || book.now.mono - answeredAt < BOUNDS.askAgainMs) continue
    run.asksSeen?.set(ask.id, book.now.mono)
    reply(book, run, ask)
  }
}

function reply(book: Book, run: Run, { id, permission }: Ask): void {
  book.command(run, { type: "reply", askID: id, message: refusal(permission) })
}
