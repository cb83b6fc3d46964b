import { safeStorage } from './pending-storage.ts';

const KEY = 'jiban.large-text';

export const isLargeText = (): boolean => safeStorage()?.getItem(KEY) === '1';

/** Everything is in rem, so one class on the root enlarges it all. */
export function setLargeText(large: boolean): void {
  document.documentElement.classList.toggle('large', large);
  try {
    safeStorage()?.setItem(KEY, large ? '1' : '0');
  } catch {
    // Storage full: it lasts as long as the page.
  }
}
