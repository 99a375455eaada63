// Go through many items on one thread without holding up everything else.

/** A few milliseconds of work on a file of the kernel each. */
const BATCH = 64;

/** For `for await`: the items, with the event loop running after every 64th. */
export function* paced<Item>(items: Iterable<Item>): Generator<Item | Promise<Item>> {
  let count = 0;
  for (const item of items) yield ++count % BATCH === 0 ? afterTurn(item) : item;
}

function afterTurn<Item>(item: Item): Promise<Item> {
  return new Promise((resolve) => void setImmediate(() => resolve(item)));
}
