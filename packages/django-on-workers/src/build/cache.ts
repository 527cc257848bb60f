/** Results of steps, kept by the hash of what went into them. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export function digest(...inputs: (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const input of inputs) {
    // The length first: ("ab", "c") and ("a", "bc") differ.
    hash.update(`${input.length}:`).update(input);
  }
  return hash.digest("hex").slice(0, 32);
}

/** Results kept beyond the newest ones of each kind are deleted when a build ends. */
const KEPT = 4;

export class Cache {
  readonly folder: string;
  readonly #salt: string;

  /** Results that were kept with another `salt` are not found. */
  constructor(folder: string, salt = "") {
    this.folder = folder;
    this.#salt = salt;
    mkdirSync(folder, { recursive: true });
  }

  path(kind: string, key: string): string {
    return join(this.folder, `${kind}-${digest(this.#salt, key)}`);
  }

  read(kind: string, key: string): Buffer | undefined {
    const path = this.path(kind, key);
    if (!existsSync(path)) return undefined;
    this.#touch(path);
    return readFileSync(path);
  }

  write(kind: string, key: string, bytes: Uint8Array): void {
    // A build that is killed half-way, or a full disk, must not leave a result that is not whole.
    const path = this.path(kind, key);
    const draft = `${path}.${process.pid}.draft`;
    try {
      writeFileSync(draft, bytes);
      renameSync(draft, path);
    } finally {
      rmSync(draft, { force: true });
    }
  }

  /** The kept result for `key`, or the one that `make` gives, which is kept. */
  async bytes(kind: string, key: string, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const kept = this.read(kind, key);
    if (kept) return kept;
    const made = await make();
    this.write(kind, key, made);
    return made;
  }

  async json<Value>(kind: string, key: string, make: () => Promise<Value>): Promise<Value> {
    const bytes = await this.bytes(kind, key, async () => Buffer.from(JSON.stringify(await make())));
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as Value;
  }

  /** A folder for `key`: `make` fills an empty one, which appears under its name when it is whole. */
  async directory(kind: string, key: string, make: (draft: string) => Promise<void>): Promise<string> {
    const path = this.path(kind, key);
    if (existsSync(path)) {
      this.#touch(path);
      return path;
    }
    const draft = `${path}.${process.pid}.draft`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true });
    try {
      await make(draft);
      renameSync(draft, path);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
    return path;
  }

  /** Deletes all but the newest results of each kind. */
  prune(): void {
    const kinds = new Map<string, { path: string; used: number }[]>();
    for (const name of readdirSync(this.folder)) {
      const path = join(this.folder, name);
      const kind = name.slice(0, name.lastIndexOf("-"));
      const list = kinds.get(kind) ?? [];
      list.push({ path, used: statSync(path).mtimeMs });
      kinds.set(kind, list);
    }
    for (const list of kinds.values()) {
      list.sort((a, b) => b.used - a.used);
      for (const { path } of list.slice(KEPT)) rmSync(path, { recursive: true, force: true });
    }
  }

  #touch(path: string): void {
    const now = new Date();
    utimesSync(path, now, now);
  }
}
