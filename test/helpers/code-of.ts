import { LanesError } from "../../src/core/errors.ts"

/** The code a call is refused with; `none` when it succeeds, the thrown thing's text when it is no LanesError. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return "none"
  } catch (thrown) {
    return thrown instanceof LanesError ? thrown.code : `not a LanesError: ${String(thrown)}`
  }
}
