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

/** A transaction that is still open after so many milliseconds waits for something: then it matters whether somebody waits for it. */
const PATIENCE = 100;

/**
 * workerd reads the clock for its timers when it waits for something from outside. To code that has run for so many
 * milliseconds without that, the 30 seconds of a transaction would begin then, and end with the next thing it waits for.
 */
const STALE = 1_000;

const LEFT = "This transaction has been rolled back: the client went away while it was open.";

interface Transaction {
  rollback(): void;
}

/** What is needed of a `DurableObjectStorage`. */
interface Storage {
  transaction(callback: (transaction: Transaction) => Promise<void>): Promise<void>;
}

interface Level {
  end(how: "commit" | "rollback"): Promise<void>;
}

export class TransactionStack {
  readonly #storage: Storage;
  readonly #open: Level[] = [];
  readonly #left: (() => Promise<void>) | undefined;
  #deadline = 0;
  /** When timers were last known to be right. */
  #turned = Date.now();
  /** Why a transaction was rolled back from here, and when that is done; set until the block has been left. */
  #givenUp: { reason: string; done: Promise<void> } | undefined;

  /** `left` begins to wait for the client to go away, and resolves when it has. */
  constructor(storage: Storage, left?: () => Promise<void>) {
    this.#storage = storage;
    this.#left = left;
  }

  /** Why no statement can run, if that is so. */
  get refusal(): string | undefined {
    return this.#givenUp?.reason;
  }

  /** Opens a transaction, or a savepoint inside one. */
  async begin(): Promise<void> {
    this.#refuse();
    if (this.#open.length === 0) await this.#turn();
    const entered = Promise.withResolvers<Transaction>();
    const released = Promise.withResolvers<void>();
    const settled = this.#storage.transaction(async (transaction) => {
      if (this.#open.length === 0) this.#deadline = Date.now() + LIMIT;
      // Each level has its own: neither timers nor answers reach outer ones before it ends.
      let timer = setTimeout(() => {
        void this.#left?.().then(() => this.#giveUp(LEFT));
        timer = setTimeout(() => this.#giveUp(EXCEEDED), this.#deadline - Date.now());
      }, PATIENCE);
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
    this.#refuse();
    await this.#end("commit", depth);
  }

  async rollback(depth: number): Promise<void> {
    await this.#givenUp?.done;
    await this.#end("rollback", depth);
    if (depth === 0) this.#givenUp = undefined;
  }

  async #turn(): Promise<void> {
    if (Date.now() - this.#turned < STALE) return;
    await new Promise((done) => setTimeout(done));
    this.#turned = Date.now();
  }

  #refuse(): void {
    if (this.#givenUp) throw new Error(this.#givenUp.reason);
  }

  async #end(how: "commit" | "rollback", depth: number): Promise<void> {
    while (this.#open.length > depth) await this.#open.pop()?.end(how);
  }

  #giveUp(reason: string): void {
    if (this.#open.length > 0) this.#givenUp ??= { reason, done: this.#end("rollback", 0) };
  }
}
