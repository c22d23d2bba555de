/**
 * Deadlines by key, earliest first; each key has at most one. A deadline that moves later costs nothing: its old heap
 * entry is met early and put back, so a task whose stale clock is pushed by every poll touches the heap once per
 * deadline, not once per poll.
 */
export class DueQueue {
  readonly #due = new Map<string, { at: number; queuedAt: number }>()
  readonly #heap: { at: number; key: string }[] = []

  get size(): number {
    return this.#due.size
  }

  /** What the heap holds, left-overs included: a small multiple of `size`. */
  get held(): number {
    return this.#heap.length
  }

  set(key: string, at: number): void {
    const entry = this.#due.get(key)
    if (entry === undefined) {
      this.#due.set(key, { at, queuedAt: at })
      this.#push(at, key)
      return
    }
    entry.at = at
    if (at < entry.queuedAt) {
      entry.queuedAt = at
      this.#push(at, key)
    }
  }

  clear(key: string): void {
    this.#due.delete(key)
    if (this.#due.size === 0) this.#heap.length = 0
  }

  /** The earliest deadline, or undefined. */
  next(): number | undefined {
    this.#settleHead()
    return this.#heap[0]?.at
  }

  /** Removes and returns one key whose deadline has come. */
  take(now: number): string | undefined {
    this.#settleHead()
    const head = this.#heap[0]
    if (head === undefined || head.at > now) return undefined
    this.#pop()
    this.#due.delete(head.key)
    return head.key
  }

  /** Drops dead entries from the head and re-queues those that moved later. */
  #settleHead(): void {
    for (let head = this.#heap[0]; head !== undefined; head = this.#heap[0]) {
      const entry = this.#due.get(head.key)
      if (entry !== undefined && entry.queuedAt === head.at && entry.at === head.at) return
      this.#pop()
      // An entry is re-queued only from the heap item that stands for it; others are left-overs of earlier deadlines.
      if (entry !== undefined && entry.queuedAt === head.at) {
        entry.queuedAt = entry.at
        this.#push(entry.at, head.key)
      }
    }
  }

  #push(at: number, key: string): void {
    const heap = this.#heap
    if (heap.length > 64 && heap.length > 4 * this.#due.size) this.#sweep()
    let i = heap.length
    heap.push({ at, key })
    while (i > 0) {
      const up = (i - 1) >> 1
      const parent = heap[up]
      if (parent === undefined || parent.at <= at) break
      heap[i] = parent
      i = up
    }
    heap[i] = { at, key }
  }

  /** Left-overs of deadlines that moved earlier or were cleared go when they outnumber the living. */
  #sweep(): void {
    const alive = this.#heap.filter(({ at, key }) => this.#due.get(key)?.queuedAt === at)
    // A sorted array is a heap.
    this.#heap.splice(0, this.#heap.length, ...alive.toSorted((a, b) => a.at - b.at))
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
      if (right !== undefined && right.at < left.at) {
        least = right
        child++
      }
      if (least.at >= last.at) break
      heap[i] = least
      i = child
    }
    heap[i] = last
  }
}
