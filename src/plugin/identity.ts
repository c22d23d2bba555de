/** Who this is, for hosts; a test compares it with package.json. */
export const NAME = "opencode-lanes"
export const VERSION = "0.1.0"
