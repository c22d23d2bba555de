/** When something is due; whoever moves one often keeps it. */
export interface Deadline {
  readonly key: string
  /** Order of setting: who was set first is met first when both are due at once. */
  readonly n: number
  at: number
  /** Time of the heap item that stands for it. */
  queuedAt: number
  /** Neither met nor cleared. */
  alive: boolean
}

interface Item {
  readonly at: number
  readonly deadline: Deadline
}

/**
 * Deadlines by key, earliest first; each key has at most one. A deadline that moves later costs nothing: its old heap
 * item is met early and put back, so a task whose stale clock is pushed by every poll touches the heap once per
 * deadline, not once per poll. What is due at the same time comes in the order of setting, however often `next` was
 * asked meanwhile: a log of inputs plays to the same effects.
 */
export class DueQueue {
  readonly #due = new Map<string, Deadline>()
  readonly #heap: Item[] = []
  #n = 0

  get size(): number {
    return this.#due.size
  }

  /** What the heap holds, left-overs included: a small multiple of `size`. */
  get held(): number {
    return this.#heap.length
  }

  set(key: string, at: number): Deadline {
    const known = this.#due.get(key)
    if (known !== undefined) return this.move(known, at)
    const deadline: Deadline = { key, n: ++this.#n, at, queuedAt: at, alive: true }
    this.#due.set(key, deadline)
    this.#push({ at, deadline })
    return deadline
  }

  /** The same without looking it up; one that was met or cleared is set anew. */
  move(deadline: Deadline, at: number): Deadline {
    if (!deadline.alive) return this.set(deadline.key, at)
    deadline.at = at
    if (at < deadline.queuedAt) {
      deadline.queuedAt = at
      this.#push({ at, deadline })
    }
    return deadline
  }

  clear(key: string): void {
    const deadline = this.#due.get(key)
    if (deadline === undefined) return
    deadline.alive = false
    this.#due.delete(key)
    if (this.#due.size === 0) this.#heap.length = 0
  }

  /** The earliest deadline, or undefined. */
  next(): number | undefined {
    return this.#head()?.at
  }

  /** Removes and returns one key whose deadline has come. */
  take(now: number): string | undefined {
    const first = this.#heap[0]
    // A deadline is never earlier than its item.
    if (first === undefined || first.at > now) return undefined
    const head = this.#head()
    if (head === undefined || head.at > now) return undefined
    this.#pop()
    head.deadline.alive = false
    this.#due.delete(head.deadline.key)
    return head.deadline.key
  }

  /** The first item that stands for a deadline as it is; dead ones go, those that moved later are queued again. */
  #head(): Item | undefined {
    for (let head = this.#heap[0]; head !== undefined; head = this.#heap[0]) {
      const { deadline, at } = head
      const stands = deadline.alive && deadline.queuedAt === at
      if (stands && deadline.at === at) return head
      this.#pop()
      if (stands) {
        deadline.queuedAt = deadline.at
        this.#push({ at: deadline.at, deadline })
      }
    }
    return undefined
  }

  #push(item: Item): void {
    const heap = this.#heap
    if (heap.length > 64 && heap.length > 4 * this.#due.size) this.#sweep()
    let i = heap.length
    heap.push(item)
    while (i > 0) {
      const up = (i - 1) >> 1
      const parent = heap[up]
      if (parent === undefined || !isBefore(item, parent)) break
      heap[i] = parent
      i = up
    }
    heap[i] = item
  }

  /** Left-overs of deadlines that moved earlier or were cleared go when they outnumber the living. */
  #sweep(): void {
    const alive = this.#heap.filter(({ at, deadline }) => deadline.alive && deadline.queuedAt === at)
    // A sorted array is a heap.
    this.#heap.splice(0, this.#heap.length, ...alive.toSorted((a, b) => (isBefore(a, b) ? -1 : 1)))
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      const left = heap[child]
      if (left === undefined) break
      const right = heap[child + 1]
      let least = left
      if (right !== undefined && isBefore(right, left)) {
        least = right
        child++
      }
      if (!isBefore(least, last)) break
      heap[i] = least
      i = child
    }
    heap[i] = last
  }
}

function isBefore(a: Item, b: Item): boolean {
  return a.at < b.at || (a.at === b.at && a.deadline.n < b.deadline.n)
}
