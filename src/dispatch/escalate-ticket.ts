import { CITY_OFFICE, type Directory, type Unit } from '../domain/directory.ts';
import type { DomainEvent, Timer } from '../domain/events.ts';
import type { Instant, UnitId } from '../domain/ids.ts';
import type { Queries } from '../domain/ports.ts';
import { isUnderWay, type Ticket } from '../domain/ticket.ts';
import { ESCALATION_LEVELS, type EscalationLevel } from '../domain/ticket-work.ts';
import type { Urgency } from '../domain/understanding.ts';
import type { ApplyTicketCommand } from '../domain/use-cases.ts';
import { unitsFor } from './route-ticket.ts';

const HOUR_MS = 3_600_000;
/** How long a level has before the next one hears of it. */
const EVERY_MS: Readonly<Record<Urgency, number>> = { h2: HOUR_MS, h24: 4 * HOUR_MS, d7: 24 * HOUR_MS, d15: 24 * HOUR_MS };
/** At the top it stays in sight: the city is reminded so often. */
const AT_THE_TOP_MS = 7 * 24 * HOUR_MS;

export interface EscalateDeps {
  readonly directory: () => Directory | null;
  readonly applyCommand: ApplyTicketCommand;
}

/** What is late goes one level up (社区 → 街道 → 区 → 市), and further up as long as it stays late. */
export function escalateTicket(deps: EscalateDeps) {
  return async (tx: Queries, cause: DomainEvent | Timer, now: Instant): Promise<void> => {
    if (!('ticketId' in cause) || cause.ticketId === undefined) return;
    const ticket = await tx.ticket(cause.ticketId, 'lock');
    if (!ticket || !isUnderWay(ticket.state.status) || ticket.work.pause) return;
    const { escalated } = ticket.work;
    if ('historySeq' in cause) {
      const entry = (await tx.history(ticket.id))[cause.historySeq - 1];
      if (entry?.open['waitedFor'] !== 'resolve' || escalated !== null || now < ticket.dueAt) return;
    } else if (escalated?.nextAt !== cause.dueAt) return;
    const above = overseer(deps.directory(), ticket);
    const { level } = above;
    // A 举报 is shown to no further unit without a person; the dispatchers see that it is late.
    const to = ticket.nature === 'misconduct_report' ? null : above.to;
    const nextAt = now + (level === 'city' ? AT_THE_TOP_MS : EVERY_MS[ticket.urgency]);
    await deps.applyCommand(tx, { ticketId: ticket.id, actor: { role: 'system' }, now, command: { do: 'escalate', level, to, nextAt } });
  };
}

/** The level above the one that has it now, and its unit; null where the directory names none (the dispatchers see it anyway). */
export function overseer(directory: Directory | null, ticket: Pick<Ticket, 'work' | 'unitId' | 'address'>): { readonly level: EscalationLevel; readonly to: UnitId | null } {
  const { place } = ticket.address;
  const here = place?.community ?? place?.street ?? place?.district ?? '';
  const present = ticket.work.escalated?.level ?? levelOf(ticket.unitId === null ? undefined : directory?.units.get(ticket.unitId));
  const level = present === null ? 'street' : (ESCALATION_LEVELS[ESCALATION_LEVELS.indexOf(present) + 1] ?? 'city');
  if (!directory) return { level, to: null };
  const kind = { street: 'subdistrict', district: directory.fallback, city: CITY_OFFICE }[level];
  const to = unitsFor(directory, { kind }, level === 'district' ? here.slice(0, 6) : here)[0]?.id ?? null;
  return { level, to: to === ticket.unitId ? null : to };
}

/** Which level a unit is of, by how large its area is; null = below a street. */
function levelOf(unit: Unit | undefined): EscalationLevel | null {
  if (!unit) return 'street';
  if (unit.area.length > 9) return null;
  return unit.area.length === 9 ? 'street' : unit.area.length === 6 ? 'district' : 'city';
}
