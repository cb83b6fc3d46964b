import type { User } from '../domain/desk.ts';
import type { Page } from '../domain/ports.ts';
import type { DeskDeps } from './deps.ts';
import { peopleOf } from './names.ts';
import type { PageOf, QueueLine } from './views.ts';

/** Who waits for a person, most pressing first, then who is being served; `mine`: only those this operator serves. */
export async function readQueue({ store }: Pick<DeskDeps, 'store'>, operator: User, { mine, ...page }: Page & { readonly mine: boolean }): Promise<PageOf<QueueLine>> {
  const { items, next } = await store.queue(page, mine ? { operatorId: operator.id } : {});
  const nameOf = peopleOf(store);
  const lines = items.map(async ({ operatorId, ...entry }): Promise<QueueLine> => ({
    ...entry, operator: operatorId === null ? null : { id: operatorId, name: await nameOf(operatorId) },
  }));
  return { items: await Promise.all(lines), next };
}
