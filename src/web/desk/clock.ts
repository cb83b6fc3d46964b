import { ref } from 'vue';
import { words } from './strings.zh.ts';

let offsetMs = 0;
/** The server's time, moved on every second; deadlines don't hang on the device's clock. */
export const clock = ref(Date.now());
export function setClock(serverNow: number): void {
  offsetMs = serverNow - Date.now();
  clock.value = serverNow;
}
setInterval(() => { clock.value = Date.now() + offsetMs; }, 1000);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** 「2 天 3 小时」「1 小时 05 分」「4:09」: the coarser the longer. */
export function span(ms: number): string {
  const time = Math.max(0, ms);
  if (time >= DAY) return `${Math.floor(time / DAY)} ${words.ago.days} ${Math.floor((time % DAY) / HOUR)} ${words.ago.hours}`;
  if (time >= HOUR) return `${Math.floor(time / HOUR)} ${words.ago.hours} ${String(Math.floor((time % HOUR) / MINUTE)).padStart(2, '0')} ${words.ago.minutes}`;
  return `${Math.floor(time / MINUTE)}:${String(Math.floor((time % MINUTE) / 1000)).padStart(2, '0')}`;
}

/** The city's time, wherever the device thinks it is. */
const inCity = { timeZone: 'Asia/Shanghai', hour12: false } as const;
const time = new Intl.DateTimeFormat('zh-CN', { ...inCity, hour: '2-digit', minute: '2-digit' });
const date = new Intl.DateTimeFormat('zh-CN', { ...inCity, month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('zh-CN', { timeZone: 'Asia/Shanghai', year: 'numeric', month: '2-digit', day: '2-digit' });

export const whenShort = (at: number): string => (day.format(at) === day.format(clock.value) ? time.format(at) : date.format(at));
export const when = (at: number): string => date.format(at);

/** How pressing a moment is: over, less than a quarter of its span left, or neither. */
export function pressing(from: number, until: number): 'over' | 'soon' | 'calm' {
  if (clock.value >= until) return 'over';
  return until - clock.value < (until - from) / 4 ? 'soon' : 'calm';
}
