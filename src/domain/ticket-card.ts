import { typeName, type Catalogue } from './catalogue.ts';
import type { UnitId } from './ids.ts';
import type { TicketCard, TimelineEntry } from './message.ts';
import { isUnderWay, type HistoryEntry, type Ticket } from './ticket.ts';
import type { EscalationLevel, TimeWish } from './ticket-work.ts';
import { dateZh, LEVEL_ZH, numberZh, STATUS_ZH, TIME_WISH_ZH, URGENCY_ZH } from './words.zh.ts';

/** Names of things, handed to whoever speaks of them. */
export interface Naming {
  readonly catalogue: Catalogue;
  readonly unitName: (id: UnitId) => string;
  readonly utcOffsetMinutes: number;
}

/** The resident's view of a ticket. */
export function ticketCard(ticket: Ticket, history: readonly HistoryEntry[], naming: Naming): TicketCard {
  const editable = isUnderWay(ticket.state.status);
  const choices = [ticket.type, ...ticket.candidates.map((candidate) => candidate.value)];
  return {
    target: ticket.id, number: ticket.number, status: ticket.state.status, statusName: STATUS_ZH[ticket.state.status],
    typeName: typeName(naming.catalogue, ticket.type), urgency: ticket.urgency, dueAt: ticket.dueAt,
    unitName: ticket.unitId === null ? null : naming.unitName(ticket.unitId),
    fields: [
      { field: 'type', label: '事项', value: typeName(naming.catalogue, ticket.type), editable, choices: [...new Set(choices)].slice(0, 6).map((code) => ({ id: code, label: typeName(naming.catalogue, code) })) },
      { field: 'address', label: '地点', value: ticket.secret?.address || ticket.address.text || ticket.address.label, editable },
      { field: 'description', label: '情况', value: ticket.secret?.words.join('\n') ?? ticket.description, editable },
      { field: 'urgency', label: '时限', value: URGENCY_ZH[ticket.urgency], editable: false },
      { field: 'due', label: '最迟办结', value: dateZh(ticket.dueAt, naming.utcOffsetMinutes), editable: false },
      ...(ticket.unitId === null ? [] : [{ field: 'unit' as const, label: '承办单位', value: naming.unitName(ticket.unitId), editable: false }]),
    ],
    timeline: history.flatMap((entry): TimelineEntry[] => {
      const text = timelineText(entry, naming);
      return text === null ? [] : [{ at: entry.at, text }];
    }),
  };
}

const sealedText = (entry: HistoryEntry, key: string): string => {
  const value = entry.sealed?.[key];
  return typeof value === 'string' && value !== '' ? `：${value}` : '';
};

/** 「，同时抄送丰台区人民政府」; '' where nobody got a copy. */
export function copiesZh(entry: HistoryEntry, naming: Pick<Naming, 'unitName'>): string {
  const copies = entry.open['copies'];
  return typeof copies === 'string' ? `，同时抄送${copies.split(' ').map((id) => naming.unitName(id as UnitId)).join('、')}` : '';
}

/** One line of the timeline in plain Chinese; null for what concerns only the inside. */
export function timelineText(entry: HistoryEntry, naming: Naming): string | null {
  const unit = (value: unknown): string => (typeof value === 'string' ? naming.unitName(value as UnitId) : '承办单位');
  switch (entry.kind) {
    case 'ticket_opened': return '诉求已立单';
    case 'ticket_dispatched': return `已派给${unit(entry.open['to'])}（${String(entry.open['because'] ?? '')}${copiesZh(entry, naming)}）`;
    case 'ticket_unrouted': return `正在确定承办单位：${String(entry.open['because'] ?? '')}`;
    case 'ticket_accepted': return `${unit(entry.open['unit'])}已接单`;
    case 'ticket_progress': return `办理进展${sealedText(entry, 'note')}`;
    case 'ticket_returned': return `${unit(entry.open['unit'])}提出异议，由派单员裁定`;
    case 'ticket_resolved': return `${unit(entry.open['unit'])}已办结${sealedText(entry, 'answer')}`;
    case 'ticket_follow_up_asked': return '请您评价办理结果';
    case 'ticket_follow_up_answered': return `您的评价：${entry.open['solved'] === true ? '已解决' : entry.open['solved'] === false ? '未解决' : '未答'}`;
    case 'ticket_reopened': return `您说没有解决，已退回${unit(entry.open['to'])}重新办理，最迟${dateZh(Number(entry.open['dueAt']), naming.utcOffsetMinutes)}办结`;
    case 'ticket_archived': return '工单已归档';
    case 'ticket_withdrawn': return '您撤回了诉求';
    case 'ticket_supplemented': return `您补充了情况${sealedText(entry, 'text')}`;
    case 'ticket_corrected': return '工单信息已更正';
    case 'ticket_overdue': return overdueText(entry, naming);
    case 'ticket_objection_refused': return `派单员裁定仍由${unit(entry.open['to'])}办理：${String(entry.open['because'] ?? '')}`;
    case 'ticket_bounced': return null;
    case 'ticket_whistled': return `${entry.open['kind'] === 'care' ? '已请' : '已吹哨，请'}${unitsZh(entry, naming)}${entry.open['kind'] === 'care' ? '上门照应' : '到场配合'}`;
    case 'ticket_reported_in': return `${unit(entry.open['unit'])}已报到`;
    case 'ticket_task_answered': return `${unit(entry.open['unit'])}已答复${entry.open['outcome'] === 'declined' ? '：不属其职责' : ''}`;
    case 'ticket_task_closed': return null;
    case 'ticket_time_asked': return `${unit(entry.open['unit'])}申请${wishZh(entry)}：${String(entry.open['because'] ?? '')}`;
    case 'ticket_time_granted': return `${wishZh(entry)}已批准，最迟${dateZh(Number(entry.open['dueAt']), naming.utcOffsetMinutes)}${entry.open['want'] === 'stages' ? `完成「${String(entry.open['stage'])}」` : '办结'}`;
    case 'ticket_time_refused': return `${wishZh(entry)}没有批准：${String(entry.open['because'] ?? '')}`;
    case 'ticket_resumed': return `时限继续计算，最迟${dateZh(Number(entry.open['dueAt']), naming.utcOffsetMinutes)}办结`;
    case 'ticket_stage_entered': return `进入「${String(entry.open['stage'])}」阶段${sealedText(entry, 'note')}`;
    case 'ticket_reminded': return null;
    case 'ticket_escalated': return `已上报${typeof entry.open['to'] === 'string' ? unit(entry.open['to']) : LEVEL_ZH[entry.open['level'] as EscalationLevel]}督办`;
    case 'ticket_excluded': return null;
    default: return entry.kind satisfies never;
  }
}

const wishZh = (entry: HistoryEntry): string => TIME_WISH_ZH[entry.open['want'] as TimeWish];
const unitsZh = (entry: HistoryEntry, naming: Pick<Naming, 'unitName'>): string => String(entry.open['units'] ?? '').split(' ').map((id) => naming.unitName(id as UnitId)).join('、');

function overdueText({ open }: HistoryEntry, naming: Pick<Naming, 'unitName'>): string | null {
  switch (open['waitedFor']) {
    case 'accept': return '承办单位未按时接单，已提醒';
    case 'route': return '派单超时，已提醒派单员';
    case 'decision': return null;
    case 'report_in': return `${naming.unitName(open['unit'] as UnitId)}没有按时报到，已提醒`;
    case 'task': return `${naming.unitName(open['unit'] as UnitId)}没有按时答复，已提醒`;
    default: return '已超过办结时限，已上报督办';
  }
}

/** Where a long matter stands, in one sentence; null where it has no stages. */
export function stageZh(ticket: Pick<Ticket, 'work'>, utcOffsetMinutes: number): string | null {
  const { stage } = ticket.work;
  return stage === null ? null : `目前在「${stage.name}」阶段，预计${dateZh(stage.until, utcOffsetMinutes)}前完成${stage.next === '' ? '，这是最后一步' : `，下一步是「${stage.next}」`}。`;
}

export const shortTitle = (ticket: Ticket, naming: Naming): string =>
  `${typeName(naming.catalogue, ticket.type)}${ticket.address.text === '' ? '' : ` · ${ticket.address.text}`}（${numberZh(ticket.number)}）`;
