/**
 * For `node --import`, in processes that this package starts: ends them when the one that started them is gone, which had
 * no chance to do it if it was killed.
 */
const parent = process.ppid;

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
}, 1000).unref();
