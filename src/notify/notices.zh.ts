import type { HistoryEntry, Ticket } from '../domain/ticket.ts';
import { copiesZh, shortTitle, type Naming } from '../domain/ticket-card.ts';
import { dateZh } from '../domain/words.zh.ts';

const sealed = (entry: HistoryEntry, key: string): string => (typeof entry.sealed?.[key] === 'string' ? entry.sealed[key] : '');

/** What a resident is told of one step of their ticket; null where the conversation itself has just said it. */
export function noticeText(ticket: Ticket, entry: HistoryEntry, naming: Naming): string | null {
  const title = shortTitle(ticket, naming);
  const unit = ticket.unitId === null ? '承办单位' : naming.unitName(ticket.unitId);
  const due = dateZh(ticket.dueAt, naming.utcOffsetMinutes);
  switch (entry.kind) {
    case 'ticket_dispatched': return `${title}已派给${unit}，最迟${due}前办结。${String(entry.open['because'] ?? '')}${copiesZh(entry, naming)}。`;
    case 'ticket_unrouted': return `${title}暂时没有找到对应单位：${String(entry.open['because'] ?? '')}。派单员正在处理，派出后马上告诉您。`;
    case 'ticket_accepted': return `${title}：${unit}已接单，开始办理。`;
    case 'ticket_progress': return `${title}办理进展：${sealed(entry, 'note')}`;
    case 'ticket_returned': return `${title}：${unit}认为不归其办理，派单员正在裁定，结果会告诉您。时限照常计算。`;
    case 'ticket_resolved': return `${title}：${unit}已办结。答复：${sealed(entry, 'answer')}`;
    case 'ticket_overdue': return entry.open['waitedFor'] === 'resolve' ? `${title}没有在${due}前办结，是我们没做到，已上报督办，有进展马上告诉您。` : null;
    case 'ticket_corrected': return entry.actor.role === 'operator' ? `${title}：接线员更正了工单信息。` : null;
    case 'ticket_archived': return entry.open['outcome'] === 'unreached' ? `${title}没有收到您的评价，先归档了。如果没有解决，直接告诉我，可以重新立单。` : null;
    case 'ticket_opened': return entry.actor.role === 'operator' ? `接线员已为您立单：${title}，最迟${due}前办结。` : null;
    case 'ticket_withdrawn': return entry.actor.role === 'resident' ? null : `${title}已撤回。`;
    case 'ticket_follow_up_asked': case 'ticket_follow_up_answered': case 'ticket_reopened': case 'ticket_supplemented': return null;
    default: return entry.kind satisfies never;
  }
}
