/**
 * Transactions of a Durable Object, held open for code outside the callback.
 *
 * `storage.transaction()` commits when its callback returns; here the callback waits for a promise that `commit` or
 * `rollback` settles. One inside another is a savepoint. While one is open, nothing else happens in the object: events
 * that were not caused from inside it wait for its end.
 * https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/#transaction
 */

/** workerd resets an object whose transaction takes 30 seconds, and fails every request that it serves or that waits. */
const LIMIT = 29_000;

const EXCEEDED =
  "This transaction has been rolled back: it was open for 29 seconds, and a Durable Object that waits for 30 is reset. " +
  "Nothing else is served meanwhile, so do what takes long (fetch, sleep, storage) outside atomic().";

interface Level {
  end(how: "commit" | "rollback"): Promise<void>;
}

export class TransactionStack {
  readonly #storage: DurableObjectStorage;
  readonly #open: Level[] = [];
  #deadline = 0;
  /** Settles when a transaction that took too long is rolled back; set until the block has been left. */
  #exceeded: Promise<void> | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Why no statement can run, if that is so. */
  get refusal(): string | undefined {
    return this.#exceeded && EXCEEDED;
  }

  /** Opens a transaction, or a savepoint inside one. */
  async begin(): Promise<void> {
    if (this.#exceeded) throw new Error(EXCEEDED);
    const entered = Promise.withResolvers<DurableObjectTransaction>();
    const released = Promise.withResolvers<void>();
    const settled = this.#storage.transaction(async (transaction) => {
      if (this.#open.length === 0) this.#deadline = Date.now() + LIMIT;
      // Each level has its own: the timers of outer ones do not fire before it ends.
      const timer = setTimeout(() => this.#exceed(), this.#deadline - Date.now());
      entered.resolve(transaction);
      await released.promise;
      clearTimeout(timer);
    });
    // A transaction that can't begin, or that the platform ends, must not leave `begin` waiting.
    settled.catch((error: unknown) => entered.reject(error));
    const transaction = await entered.promise;
    this.#open.push({
      async end(how) {
        if (how === "rollback") transaction.rollback();
        released.resolve();
        await settled;
      },
    });
  }

  /** Ends what is open, from the innermost on, until `depth` levels are left. */
  async commit(depth: number): Promise<void> {
    if (this.#exceeded) throw new Error(EXCEEDED);
    await this.#end("commit", depth);
  }

  async rollback(depth: number): Promise<void> {
    if (this.#exceeded) {
      await this.#exceeded;
      if (depth === 0) this.#exceeded = undefined;
    } else await this.#end("rollback", depth);
  }

  async #end(how: "commit" | "rollback", depth: number): Promise<void> {
    while (this.#open.length > depth) await this.#open.pop()?.end(how);
  }

  #exceed(): void {
    this.#exceeded = this.#end("rollback", 0);
  }
}
