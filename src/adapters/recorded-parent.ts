import type { Parent } from "../coordinator/ports.ts"
import type { Delivery } from "../core/effects.ts"

/**
 * For hosts that hear of ends by the bus: nobody is written to, every delivery counts as made. `deliveries` keeps the
 * newest ones, for whoever wants to see what a parent would have been told.
 */
export class RecordedParent implements Parent {
  readonly deliveries: Delivery[] = []
  readonly #keep: number

  constructor(keep = 1_000) {
    this.#keep = keep
  }

  deliver(delivery: Delivery): Promise<readonly string[]> {
    this.deliveries.push(delivery)
    if (this.deliveries.length > this.#keep) this.deliveries.shift()
    return Promise.resolve(delivery.items.map(({ tail }) => tail))
  }
}
