import type { PageOf, TicketAction, WorkAction } from '../../desk/views.ts';
import { errorTexts } from './strings.zh.ts';

/** What the server refused, in words for the person at the desk. */
export class DeskError extends Error {
  readonly code: string;
  constructor(code: string, text: string) {
    super(text);
    this.code = code;
  }
}

type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

export const get = <T>(path: string, query: Query = {}): Promise<T> => send<T>('GET', path + queryOf(query));
export const post = <T = unknown>(path: string, body?: object): Promise<T> => send<T>('POST', path, body);
export const patch = <T = unknown>(path: string, body: object): Promise<T> => send<T>('PATCH', path, body);

export const ticketPath = (id: string, action?: TicketAction | 'pictures'): string => `/tickets/${encodeURIComponent(id)}${action ? `/${action}` : ''}`;
/** The verbs around a ticket: calls, clock, stages. */
export const workPath = (id: string, verb: WorkAction | 'report-in' | 'answer-task' | 'close-task'): string => `/tickets/${encodeURIComponent(id)}/${verb}`;
export const pictureUrl = (of: 'tickets' | 'conversations', id: string, mediaId: string): string => `/desk/api/${of}/${encodeURIComponent(id)}/media/${encodeURIComponent(mediaId)}`;

/** Page after page until at least `wanted` are there or none is left. */
export async function pages<T>(path: string, query: Query, wanted: number): Promise<PageOf<T>> {
  const items: T[] = [];
  let next: string | null = null;
  do {
    const page: PageOf<T> = await get(path, { ...query, limit: PAGE, cursor: next });
    items.push(...page.items);
    next = page.next;
  } while (next !== null && items.length < wanted);
  return { items, next };
}
export const PAGE = 50;

export function uploadPicture(ticketId: string, file: File): Promise<{ mediaId: string }> {
  return send('POST', ticketPath(ticketId, 'pictures'), file);
}

function queryOf(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value === null || value === undefined || value === '' ? [] : [[name, String(value)]]));
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

async function send<T>(method: string, path: string, body?: object): Promise<T> {
  const isFile = body instanceof Blob;
  const response = await fetch(`/desk/api${path}`, {
    method, credentials: 'same-origin',
    headers: { 'x-jiban': '1', ...(body ? { 'content-type': isFile ? body.type || 'image/jpeg' : 'application/json' } : {}) },
    ...(body ? { body: isFile ? body : JSON.stringify(body) } : {}),
  }).catch(() => { throw new DeskError('network', errorTexts.network); });
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok) return answer as T;
  const { code = 'unknown', text } = (answer ?? {}) as { code?: string; text?: string };
  if (code === 'auth.required') window.dispatchEvent(new Event('jiban:signed-out'));
  throw new DeskError(code, errorTexts[code as keyof typeof errorTexts] ?? text ?? errorTexts.unknown);
}

/** Unique for one press of a button; plain-http intranets have no crypto.randomUUID. */
export function pressKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
