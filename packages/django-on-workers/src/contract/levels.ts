/** Methods of `console`. */
export type Level = "debug" | "info" | "log" | "warn" | "error";
