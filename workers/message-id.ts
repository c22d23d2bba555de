/** Ids of messages and parts: in the core, so that adapters and the bare loop of a run make the same ones. */
export { after, messageID, partID, timeOf } from "../src/core/message-id.ts"
