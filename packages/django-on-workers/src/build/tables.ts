/** What a TOML or JSON file gives. */
export type Table = Record<string, unknown>;

export const isTable = (value: unknown): value is Table => typeof value === "object" && value !== null && !Array.isArray(value);
