import type { HistoryEntry, Ticket } from '../domain/ticket.ts';
import type { UnitId } from '../domain/ids.ts';
import { copiesZh, shortTitle, stageZh, type Naming } from '../domain/ticket-card.ts';
import type { EscalationLevel, TimeWish } from '../domain/ticket-work.ts';
import { dateZh, LEVEL_ZH, TIME_WISH_ZH } from '../domain/words.zh.ts';

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
    case 'ticket_overdue': return entry.open['waitedFor'] === 'resolve' ? `${title}没有在${due}前办结，是我们没做到，正在上报督办，有进展马上告诉您。` : null;
    case 'ticket_corrected': return entry.actor.role === 'operator' ? `${title}：接线员更正了工单信息。` : null;
    case 'ticket_archived': return entry.open['outcome'] === 'unreached' ? `${title}没有收到您的评价，先归档了。如果没有解决，直接告诉我，可以重新立单。` : null;
    case 'ticket_opened': return entry.actor.role === 'operator' ? `接线员已为您立单：${title}，最迟${due}前办结。` : null;
    case 'ticket_withdrawn': return entry.actor.role === 'resident' ? null : `${title}已撤回。`;
    case 'ticket_objection_refused': return `${title}：派单员裁定仍由${unit}办理。${String(entry.open['because'] ?? '')}`;
    case 'ticket_whistled': return `${title}：${entry.open['kind'] === 'care' ? `已请${calledZh(entry, naming)}上门照应您家` : `已请${calledZh(entry, naming)}到场配合${unit}办理`}。`;
    case 'ticket_time_granted': return grantedText(title, entry, naming, stageZh(ticket, naming.utcOffsetMinutes));
    case 'ticket_time_refused': return `${title}：${unit}申请${wishZh(entry)}，没有批准，仍须${due}前办结。`;
    case 'ticket_resumed': return `${title}：时限继续计算，最迟${due}前办结。`;
    case 'ticket_stage_entered': return `${title}：${stageZh(ticket, naming.utcOffsetMinutes) ?? ''}${sealed(entry, 'note')}`;
    case 'ticket_escalated': return `${title}仍未办结，已上报${typeof entry.open['to'] === 'string' ? naming.unitName(entry.open['to'] as UnitId) : LEVEL_ZH[entry.open['level'] as EscalationLevel]}督办。`;
    case 'ticket_bounced': case 'ticket_reported_in': case 'ticket_task_answered': case 'ticket_task_closed': case 'ticket_time_asked': case 'ticket_reminded': case 'ticket_excluded': return null;
    case 'ticket_follow_up_asked': case 'ticket_follow_up_answered': case 'ticket_reopened': case 'ticket_supplemented': return null;
    default: return entry.kind satisfies never;
  }
}

const wishZh = (entry: HistoryEntry): string => TIME_WISH_ZH[entry.open['want'] as TimeWish];
const calledZh = (entry: HistoryEntry, naming: Naming): string => String(entry.open['units'] ?? '').split(' ').map((id) => naming.unitName(id as UnitId)).join('、');

/** Art. 15: the reason and the new date, and from which date it moved. */
function grantedText(title: string, { open }: HistoryEntry, naming: Naming, stage: string | null): string {
  const date = (key: string): string => dateZh(Number(open[key]), naming.utcOffsetMinutes);
  const unit = naming.unitName(open['unit'] as UnitId);
  const reason = String(open['reason'] ?? '');
  switch (open['want'] as TimeWish) {
    case 'extend': return `${title}：${unit}申请延期，经批准，办结时限由${date('from')}延到${date('dueAt')}。原因：${reason}`;
    case 'pause': return `${title}：${unit}申请暂停计时到${date('until')}，经批准，最迟${date('dueAt')}前办结。原因：${reason}`;
    case 'stages': return `${title}：这件事要按法定步骤分阶段办理，经批准挂账。${stage ?? ''}原因：${reason}`;
    default: return title;
  }
}
