import { expect } from "bun:test"
import { LanesError } from "../../src/core/errors.ts"

/** The `CONFIG_INVALID` that this throws; anything else fails the test. */
export function refusal(act: () => unknown): LanesError {
  try {
    act()
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(LanesError)
    expect((thrown as LanesError).code).toBe("CONFIG_INVALID")
    return thrown as LanesError
  }
  throw new Error("it was accepted")
}
