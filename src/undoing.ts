/** What is to be undone, the last first, each whatever becomes of the others. Node 20 has no AsyncDisposableStack. */
export class Undoing {
  readonly #steps: (() => unknown)[] = []

  add(step: () => unknown): void {
    this.#steps.push(step)
  }

  /** Undoes all, once; then rejects with the first failure, if there was one. */
  async all(): Promise<void> {
    const failures: unknown[] = []
    for (const step of this.#steps.splice(0).toReversed()) {
      try {
        await step()
      } catch (thrown) {
        failures.push(thrown)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
