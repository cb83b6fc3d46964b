import { reactive } from 'vue';

/** `#/queue/<conversation>`, `#/tickets/<ticket>`, `#/dispatch/<ticket>`, `#/directory`, `#/users`, `#/dead`. */
export const ROOMS = ['queue', 'tickets', 'dispatch', 'directory', 'users', 'dead'] as const;
export type Room = (typeof ROOMS)[number];

export const route = reactive<{ room: Room | null; id: string | null }>({ room: null, id: null });

function read(): void {
  const [, room, id] = /^#\/(\w+)(?:\/(.+))?$/.exec(location.hash) ?? [];
  route.room = ROOMS.find((name) => name === room) ?? null;
  route.id = id === undefined ? null : decodeURIComponent(id);
}
window.addEventListener('hashchange', read);
read();

export const href = (room: Room, id?: string): string => `#/${room}${id === undefined ? '' : `/${encodeURIComponent(id)}`}`;
export function go(room: Room, id?: string): void {
  location.hash = href(room, id);
}
