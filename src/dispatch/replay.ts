import type { Catalogue } from '../domain/catalogue.ts';
import type { Directory, Routable, Way } from '../domain/directory.ts';
import type { UnitId } from '../domain/ids.ts';
import { routeTicket } from './route-ticket.ts';

/** A ticket as it went, and all that the directory looks at. */
export interface PastTicket {
  readonly number: string;
  /** The unit that holds or last held it; null = a dispatcher never found one. */
  readonly unitId: UnitId | null;
  readonly matter: Routable;
}

/** One ticket that another directory would send elsewhere. No word of a resident is in it. */
export interface Elsewhere {
  readonly number: string;
  readonly from: UnitId | null;
  /** null = it would wait for a dispatcher. */
  readonly to: UnitId | null;
  readonly way: Way | null;
  /** Row of the other directory; null where none fits. */
  readonly rule: string | null;
  readonly because: string;
}

/** Where the other directory would send it, if that is not where it went. */
export function goesElsewhere(directory: Directory, catalogue: Catalogue, ticket: PastTicket): Elsewhere | null {
  const routed = routeTicket(directory, catalogue, ticket.matter);
  const to = routed.kind === 'routed' ? routed.to : null;
  if (to === ticket.unitId) return null;
  return { number: ticket.number, from: ticket.unitId, to, way: routed.kind === 'routed' ? routed.way : null, rule: routed.rule, because: routed.because };
}
