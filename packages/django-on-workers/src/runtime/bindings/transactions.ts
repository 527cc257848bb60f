/**
 * Transactions of a Durable Object, held open for code outside the callback.
 *
 * `storage.transaction()` commits when its callback returns; here the callback waits for a promise that `commit` or
 * `rollback` settles. One inside another is a savepoint.
 * https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/#transaction
 */
interface Open {
  end(how: "commit" | "rollback"): Promise<void>;
}

export class TransactionStack {
  readonly #storage: DurableObjectStorage;
  readonly #open: Open[] = [];

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  async begin(): Promise<void> {
    const entered = Promise.withResolvers<DurableObjectTransaction>();
    const released = Promise.withResolvers<void>();
    const settled = this.#storage.transaction(async (transaction) => {
      entered.resolve(transaction);
      await released.promise;
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

  async commit(): Promise<void> {
    await this.#pop().end("commit");
  }

  async rollback(): Promise<void> {
    await this.#pop().end("rollback");
  }

  /** Rolls back whatever is open. */
  async abandon(): Promise<void> {
    while (this.#open.length > 0) await this.rollback();
  }

  #pop(): Open {
    const open = this.#open.pop();
    if (!open) throw new Error("No transaction is open.");
    return open;
  }
}
