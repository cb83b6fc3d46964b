import type { UnitId, UserId } from '../domain/ids.ts';
import type { Queries } from '../domain/ports.ts';
import type { DeskDeps } from './deps.ts';

export const unitName = ({ units }: Pick<DeskDeps, 'units'>, id: UnitId | null): string | null => (id === null ? null : (units.get(id)?.name ?? id));

/** Names of people, each looked up once for one answer. */
export function peopleOf(queries: Pick<Queries, 'user'>): (id: UserId) => Promise<string> {
  const known = new Map<UserId, Promise<string>>();
  return (id) => {
    const name = known.get(id) ?? queries.user(id).then((user) => user?.name ?? id);
    known.set(id, name);
    return name;
  };
}
