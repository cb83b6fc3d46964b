import { timelineText, type Naming } from '../domain/ticket-card.ts';
import type { Actor, HistoryEntry, Ticket, TicketEvent } from '../domain/ticket.ts';
import type { UnitId } from '../domain/ids.ts';
import { dateZh, numberZh, STATUS_ZH, URGENCY_ZH } from '../domain/words.zh.ts';

const ROLE_ZH = { bot: '即办助手', system: '系统', resident: '居民', operator: '工作人员', unit: '承办单位' } as const satisfies Record<Actor['role'], string>;
const WAITED_ZH: Readonly<Record<string, string>> = { accept: '接单', resolve: '办结', route: '定单位', report_in: '报到', task: '协办答复', decision: '时限审批' };

/**
 * One ticket's whole way, a line a step: when, who, what, by which row of which version, how long since the step before.
 *
 * @param sealed also the words that are sealed under the resident's key
 */
export function walkLines(ticket: Ticket, history: readonly HistoryEntry[], naming: Naming, sealed: boolean): readonly string[] {
  const at = (when: number): string => dateZh(when, naming.utcOffsetMinutes);
  const head = [
    `工单 ${numberZh(ticket.number)}  ${STATUS_ZH[ticket.state.status]}  ${naming.catalogue.types[ticket.type]?.zh ?? ticket.type}  ${URGENCY_ZH[ticket.urgency]}`,
    `地点 ${ticket.address.text || ticket.address.label || '（不详）'}  立单 ${at(ticket.openedAt)}  时限 ${at(ticket.dueAt)}  经手 ${ticket.hops} 家  重办 ${ticket.reopened} 次`,
    `识别 ${ticket.versions.model}  目录 ${ticket.versions.directory || '（无）'}`,
    ...(ticket.work.leads.length > 0 ? [`主责 ${ticket.work.leads.map(naming.unitName).join(' → ')}`] : []), '',
  ];
  const steps = history.flatMap((entry, index) => {
    const before = history[index - 1];
    const since = before ? `（隔 ${spanZh(entry.at - before.at)}）` : '';
    const words = sealed && entry.sealed !== null ? Object.entries(entry.sealed).filter(([, value]) => typeof value === 'string' && value !== '').map(([, value]) => `      「${String(value)}」`) : [];
    return [`${String(entry.seq).padStart(3)}  ${at(entry.at)}  ${whoZh(entry.actor, naming)}  ${stepZh(entry, naming)}${since}`, ...basisZh(entry, naming), ...words];
  });
  return [...head, ...steps, '', ...heldZh(history, naming), ...tasksZh(ticket, naming)];
}

export const verdictZh = (ok: boolean, where: string): string => (ok ? '历史链完整，没有被改动。' : `历史链不完整：${where}`);

function whoZh(actor: Actor, naming: Naming): string {
  if (actor.role === 'unit') return naming.unitName(actor.unitId);
  return actor.role === 'operator' ? `${ROLE_ZH.operator} ${actor.userId}` : ROLE_ZH[actor.role];
}

/** What the resident's own timeline says of it, without sealed words; steps that only concern the inside are named here. */
function stepZh(entry: HistoryEntry, naming: Naming): string {
  const { open } = entry;
  switch (entry.kind) {
    case 'ticket_bounced': return `往返派单预警（第 ${String(open['hops'])} 家${open['why'] === 'back_again' ? '，又回到原单位' : ''}）`;
    case 'ticket_reminded': return open['share'] === 'half' ? '时限过半提醒' : '时限过八成提醒';
    case 'ticket_task_closed': return `撤销对${naming.unitName(open['unit'] as UnitId)}的吹哨`;
    case 'ticket_excluded': return `不计入三率：${String(open['because'] ?? '')}`;
    case 'ticket_overdue': return `超时：${WAITED_ZH[String(open['waitedFor'])] ?? ''}`;
    default: return timelineText({ ...entry, sealed: null }, naming) ?? entry.kind;
  }
}

/** 「依据 目录 2027-spring 第 water 条」: by which rule. */
function basisZh({ open }: HistoryEntry, naming: Naming): readonly string[] {
  const said = [
    typeof open['rule'] === 'string' ? `依据 目录 ${String(open['directory'] ?? '')} 条目 ${open['rule']}` : null,
    typeof open['copies'] === 'string' ? `抄送 ${namesZh(open['copies'], naming)}` : null,
    typeof open['rivals'] === 'string' ? `候选 ${namesZh(open['rivals'], naming)}` : null,
    typeof open['suggests'] === 'string' ? `建议改派 ${naming.unitName(open['suggests'] as UnitId)}` : null,
    open['late'] === true ? '已超时' : null,
  ].filter((part) => part !== null);
  return said.length === 0 ? [] : [`      ${said.join('；')}`];
}

const namesZh = (ids: TicketEvent['open'][string], naming: Naming): string => String(ids).split(' ').map((id) => naming.unitName(id as UnitId)).join('、');

const HOLDS: ReadonlySet<string> = new Set(['ticket_dispatched', 'ticket_reopened', 'ticket_objection_refused']);
const LETS_GO: ReadonlySet<string> = new Set(['ticket_returned', 'ticket_resolved', 'ticket_withdrawn', 'ticket_unrouted']);

/** How long each unit had it in hand. */
function heldZh(history: readonly HistoryEntry[], naming: Naming): readonly string[] {
  const lines: string[] = [];
  let since: { readonly unit: string; readonly at: number } | null = null;
  for (const entry of history) {
    const holds = HOLDS.has(entry.kind);
    if (since && (holds || LETS_GO.has(entry.kind))) lines.push(`在手 ${naming.unitName(since.unit as UnitId)} ${spanZh(entry.at - since.at)}`);
    if (holds) since = { unit: String(entry.open['to']), at: entry.at };
    else if (LETS_GO.has(entry.kind)) since = null;
  }
  if (since) lines.push(`在手 ${naming.unitName(since.unit as UnitId)} 至今`);
  return lines;
}

function tasksZh({ work }: Ticket, naming: Naming): readonly string[] {
  return work.tasks.map((task) => {
    const reported = task.reportedAt === null ? '未报到' : `报到用时 ${spanZh(task.reportedAt - task.calledAt)}${task.reportedAt > task.reportBy ? '（迟）' : ''}`;
    const ended = task.end === null ? '未答复' : task.end.how === 'closed' ? '已撤销' : `答复用时 ${spanZh(task.end.at - task.calledAt)}${task.end.at > task.answerBy ? '（迟）' : ''}`;
    return `吹哨 ${naming.unitName(task.unit)}：${reported}，${ended}`;
  });
}

function spanZh(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return `${minutes}分`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}小时${minutes % 60}分` : `${Math.floor(hours / 24)}天${hours % 24}小时`;
}
