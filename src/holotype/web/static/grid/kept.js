// What this browser keeps for a page: values by key, each with the time `at` which it was kept. They are in localStorage,
// where they can be read at once but come to the disk only some seconds later, and in IndexedDB, which a crash of the
// browser leaves as it was. A browser may have neither, or not let us.

const NAME = "holotype", STORE = "kept", PATIENCE = 1000; // milliseconds
let opened;

export function read(key, otherwise = null) {
  try {
    const text = localStorage.getItem(key);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

// Whether it was kept.
export function write(key, value) {
  const kept = { ...value, at: Date.now() };
  store((values) => values.put(kept, key));
  return set(key, kept);
}

// Done when it is forgotten everywhere: what is left in one place would be taken for what a crash took from the other.
export async function forget(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // nothing was kept
  }
  await store((values) => values.delete(key));
}

export function keys(prefix) {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  } catch {
    return [];
  }
}

// Bring back what a crash took out of localStorage; where IndexedDB does not answer, go on without.
export function restore() {
  return Promise.race([bringBack(), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
}

async function bringBack() {
  const database = await open();
  if (database === null) return;
  await new Promise((resolve) => {
    const cursor = database.transaction(STORE).objectStore(STORE).openCursor();
    cursor.onerror = resolve;
    cursor.onsuccess = () => {
      const found = cursor.result;
      if (found === null) return resolve();
      if (!(read(found.key)?.at >= found.value.at)) set(found.key, found.value);
      found.continue();
    };
  });
}

function set(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

async function store(work) {
  const database = await open();
  if (database === null) return;
  const transaction = database.transaction(STORE, "readwrite");
  work(transaction.objectStore(STORE));
  await new Promise((resolve) => (transaction.oncomplete = transaction.onabort = resolve));
}

function open() {
  opened ??= new Promise((resolve) => {
    try {
      const asked = indexedDB.open(NAME, 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
  return opened;
}
