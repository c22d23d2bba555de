/** The real worker, with a way to make it crash from outside. */

import "../../workers/session-worker.ts"

const orders = new BroadcastChannel("crash-workers")
orders.addEventListener("message", () => process.exit(1))
