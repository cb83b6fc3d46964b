import { reactive, ref } from 'vue';
import type { Action } from '../../desk/permissions.ts';
import type { Me } from '../../desk/views.ts';
import { DeskError, get, post } from './api.ts';
import { setClock } from './clock.ts';
import { connect, disconnect } from './live.ts';

export const me = ref<Me | null>(null);
export const mayI = (action: Action): boolean => me.value?.may.includes(action) ?? false;
export const typeNameOf = (code: string): string => me.value?.catalogue.types.find((type) => type.code === code)?.name ?? code;

export function enter(who: Me): void {
  me.value = who;
  setClock(who.now);
  connect();
}

export function leave(): void {
  me.value = null;
  disconnect();
}

/** Who the cookie says we are; null: nobody. Other failures are thrown on. */
export async function resume(): Promise<void> {
  try {
    enter(await get<Me>('/me'));
  } catch (error) {
    if (error instanceof DeskError && error.code === 'auth.required') return leave();
    throw error;
  }
}

/** What was typed and not sent goes with the person: the next one at this computer must not read it. */
export async function signOut(): Promise<void> {
  await post('/sign-out');
  for (const key of Object.keys(localStorage)) if (key.startsWith(KEPT)) localStorage.removeItem(key);
  leave();
}
const KEPT = 'jiban.desk.';

/** Unsent text by name; survives a reload, and where the browser forbids storage it lives as long as the page. */
export const kept = {
  read(name: string): string {
    try { return localStorage.getItem(KEPT + name) ?? ''; } catch { return ''; } // storage forbidden by policy
  },
  write(name: string, text: string): void {
    try {
      if (text === '') localStorage.removeItem(KEPT + name);
      else localStorage.setItem(KEPT + name, text);
    } catch { /* storage forbidden or full: the text stays in the field */ }
  },
};

export const toast = reactive({ text: '', bad: false });
let hide: ReturnType<typeof setTimeout> | undefined;
export function say(text: string, bad = false): void {
  toast.text = text;
  toast.bad = bad;
  clearTimeout(hide);
  hide = setTimeout(() => { toast.text = ''; }, bad ? 6000 : 3000);
}

/** Does it and says how it went; true when it went well. What is no refusal of the server's is a fault and stays one. */
export async function attempt(work: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await work();
    if (done !== undefined) say(done);
    return true;
  } catch (error) {
    if (!(error instanceof DeskError)) throw error;
    say(error.message, true);
    return false;
  }
}
