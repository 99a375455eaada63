// Go through many items on one thread without holding up everything else.

/** About a millisecond, if each item is a directory to remove. */
const BATCH = 16;

/** For `for await`: the items, with the event loop running after every 16th. */
export function* paced<Item>(items: Iterable<Item>): Generator<Item | Promise<Item>> {
  let count = 0;
  for (const item of items) yield ++count % BATCH === 0 ? afterTurn(item) : item;
}

function afterTurn<Item>(item: Item): Promise<Item> {
  return new Promise((resolve) => void setImmediate(() => resolve(item)));
}
