import type { Instant } from './ids.ts';
import type { TicketStatus } from './ticket.ts';
import type { EscalationLevel, TimeWish } from './ticket-work.ts';
import type { Urgency } from './understanding.ts';

/** Names residents, operators and units all read; the glossary (docs/glossary.md) ties them to the code's words. */
export const STATUS_ZH: Readonly<Record<TicketStatus, string>> = {
  opened: '已立单', unrouted: '待派单员确定单位', dispatched: '已派单', accepted: '已接单', in_progress: '办理中',
  returned: '单位提出异议', resolved: '已办结', following_up: '回访中', archived: '已归档', withdrawn: '已撤回',
};

export const URGENCY_ZH: Readonly<Record<Urgency, string>> = { h2: '特急 · 2小时', h24: '紧急 · 24小时', d7: '一般 · 7天', d15: '疑难 · 15天' };

/** What a unit may ask for (art. 15). */
export const TIME_WISH_ZH: Readonly<Record<TimeWish, string>> = { extend: '延期', pause: '暂停计时', stages: '分阶段办理（挂账）' };
export const LEVEL_ZH: Readonly<Record<EscalationLevel, string>> = { street: '街道', district: '区里', city: '市里' };

/** 「11月24日 20:30」 in the city's time. */
export function dateZh(at: Instant, utcOffsetMinutes: number): string {
  const local = new Date(at + utcOffsetMinutes * 60_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${local.getUTCMonth() + 1}月${local.getUTCDate()}日 ${two(local.getUTCHours())}:${two(local.getUTCMinutes())}`;
}

/** 「261123-000017」: easier to read out than twelve digits in a row. */
export const numberZh = (number: string): string => `${number.slice(0, 6)}-${number.slice(6)}`;
