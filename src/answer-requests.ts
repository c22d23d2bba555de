import type { OwnerRequest } from "./adapters/request-files.ts"
import { requestFolder, serveRequests } from "./adapters/request-files.ts"
import type { Undo } from "./coordinator/ports.ts"
import type { Lanes } from "./lanes.ts"

/** Does what other processes ask for by files beside the journal, until undone. */
export function answerRequests(lanes: Lanes, journal: string): Undo {
  return serveRequests(requestFolder(journal), (request) => answer(lanes, request))
}

async function answer(lanes: Lanes, request: OwnerRequest): Promise<unknown> {
  switch (request.type) {
    case "cancel": {
      const before = lanes.get(request.id)?.state
      return { before, row: lanes.cancel(request.id) }
    }
    case "continue": {
      const { id, epoch, lane } = await lanes.continue(request.id, request.prompt)
      return { id, epoch, lane }
    }
    case "messages":
      return lanes.messages(request.id)
    case "todos":
      return lanes.todos(request.id)
    case "limits":
      if (request.limits !== undefined) lanes.setLimits(request.limits)
      return lanes.usage()
  }
}
